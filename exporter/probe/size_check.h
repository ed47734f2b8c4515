#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "base/address.h"
#include "probe/types.h"

namespace ue::probe {

/// Finds MTU black holes: once a minute a fresh port sends a don't-fragment probe of a tunnel's size; until
/// one came back, and once one did not, a small probe with it. Only where small ones keep coming back and
/// large ones do not, and no router says why (then the path's own limit is tried instead), the size does not
/// pass; afterwards it looks which smaller one does. Passive; owned by a Path, which treats its actions as
/// those of PathProber and tells the two apart by owns().
class SizeCheck {
 public:
  struct Settings {
    Nanos interval = std::chrono::minutes(1);
    std::optional<Identity> identity;
  };
  SizeCheck(Settings settings, RandomSource random);

  /// Flow handles of a size check; those of PathProber are smaller, those of HoldLadder larger.
  static bool owns(FlowHandle flow) { return (flow & kHandleBits) == kFirstHandle; }

  /// Whether the path works, so that a missing reply means something.
  void set_allowed(const Now& now, bool allowed);
  /// Another network may be behind the sockets: what is known is void.
  void restart(const Now& now, Family family);
  void advance(const Now& now, const PathState& path);
  Instant wake_at() const;
  bool has_actions() const { return !actions_.empty(); }
  /// `room`: see hand_out().
  std::vector<Action> take_actions(std::vector<Action> room = {}) {
    return hand_out(actions_, std::move(room));
  }
  void on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector);
  /// A router, or this machine's own interface, says that the probe is too big for an `mtu` of so many octets
  /// (0: it does not say of how many).
  void on_too_big(const Now& now, FlowHandle flow, std::uint32_t mtu);

  /// yes: the newest large probe came back; no: they vanish, and that is no chance.
  std::optional<bool> passes() const { return passes_; }
  /// Of the probe, in octets of IP; less than a tunnel's where the path says so itself.
  std::uint32_t size() const;
  /// The same in octets of UDP payload.
  std::uint32_t payload() const { return size() - headers(); }
  /// The largest size found to pass below one that does not, in octets of UDP payload.
  std::optional<std::uint32_t> passing_payload() const;

  /// OpenVPN 2.6 fills packets up to this by default (mssfix 1492 mtu).
  static constexpr std::uint32_t kTunnelSize = 1492;
  /// Fewer failures than this are never enough, whatever the loss: a full queue refuses large packets first.
  static constexpr std::uint32_t kLeastFailures = 6;

 private:
  static constexpr FlowHandle kFirstHandle = 0x40000000;
  static constexpr FlowHandle kHandleBits = 0xc0000000;

  struct Round {
    FlowHandle flow;
    std::uint64_t flow_id;
    std::uint16_t ssid;
    std::uint32_t size;
    Instant deadline;
    bool alone = false;  ///< without a small probe: a missing reply asks for another round, and says no more
    bool small_back = false;
  };
  void begin(const Now& now);
  void send(const Now& now, const Round& round, std::uint32_t sequence, std::uint32_t size);
  void end_round();
  void passed(const Now& now);
  void failed(const Now& now);
  Nanos later();
  std::uint32_t headers() const;
  std::optional<std::uint32_t> smaller(std::uint32_t size) const;

  Settings settings_;
  RandomSource random_;
  std::vector<Action> actions_;
  Family family_ = Family::ipv4;
  PathState path_;
  FlowHandle next_handle_ = kFirstHandle;
  bool allowed_ = false;
  Instant next_{};
  std::optional<Round> round_;
  std::optional<bool> passes_;
  std::uint32_t failures_ = 0;  ///< in a row, at the present size
  std::uint32_t voids_ = 0;     ///< rounds in a row of which nothing came back at all
  Instant first_failure_{};
  bool missed_ = false;                 ///< a probe that went alone did not come back, nor has one since
  std::optional<std::uint32_t> limit_;  ///< the path's own word
  Instant limit_until_{};
  std::optional<std::uint32_t> trying_;  ///< a smaller size, once the full one is known not to pass
  std::optional<std::uint32_t> smaller_passes_;
};

}  // namespace ue::probe
