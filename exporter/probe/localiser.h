#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "probe/hop_keepalives.h"
#include "probe/mapping_lifetime.h"
#include "probe/trace.h"
#include "stamp/query.h"

namespace ue::probe {

/// Looks for the place of a fault: a traceroute from a fresh port while the path works, to know the way; one
/// from the silent flow's own port when replies stop; one of large packets that must not be fragmented where
/// only those vanish; keepalives with a TTL where a mapping is short.
/// Passive; owned by a Path, which treats its actions as those of PathProber and tells the two apart by
/// owns(). It measures; whose fault it is, is judged elsewhere.
class Localiser {
 public:
  struct Settings {
    std::optional<Identity> identity;
    bool stun = false;
    Nanos repeat = std::chrono::minutes(5);  ///< between two traces of one trouble
  };
  /// What the path's state asks for.
  struct Task {
    enum class Kind : std::uint8_t {
      none,      ///< nothing that is under way is worth going on with
      usual,     ///< the path works: learn the way
      silent,    ///< `flow` gets no replies any more
      fresh,     ///< new flows get none
      large,     ///< the path works, and packets of `payload` octets vanish
      lifetime,  ///< the path works, and forgets a stream after `stream`
    };
    Kind kind = Kind::none;
    FlowHandle flow = 0;
    MappingLifetime::Bracket stream;
    std::size_t payload = 0;  ///< of Kind::large, in octets of UDP payload
    std::size_t room = 0;     ///< flows that may be opened beside those that are open
    bool paced = false;       ///< packets leave only in slot()
  };
  /// About the newest reply, or the newest probe, that somebody refused.
  struct Refused {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    IpAddress offender;
    std::uint8_t ttl = 0;  ///< of the ICMP packet on arrival; 0: not known
    Instant at{};
  };
  struct Findings {
    std::optional<Hops> usual;
    std::optional<Hops> now;         ///< since the trouble began
    std::optional<unsigned> length;  ///< by the TTL that the far end received
    std::optional<unsigned> forgetful;
    Nanos forgets_within{};
    std::optional<Refused> probe_refused;
    std::optional<Refused> reply_refused;
  };

  Localiser(Settings settings, RandomSource random);

  /// Flow handles of a localiser; those of PathProber are smaller, those of SizeCheck larger.
  static bool owns(FlowHandle flow) { return (flow & kHandleBits) == kFirstHandle; }

  void set_task(const Now& now, const Task& task);
  /// Another network may be behind the sockets: what is known is void.
  void restart(const Now& now);
  void advance(const Now& now, const PathState& path);
  /// One packet may leave instead of one of the path's own (RFC 8085: nothing returns).
  void slot(const Now& now);
  /// More flows must be closed before keepalives can begin.
  bool wants_room() const {
    return keepalives_wanted() && task_.room < HopKeepalives::flows(keepalive_hops());
  }
  bool wants_slots() const { return task_.paced && trace_.has_value(); }
  Instant wake_at() const;
  std::vector<Action> take_actions() { return hand_out(actions_); }

  void on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector);
  /// A packet's TTL ended at `router`; `quoted` is what the error quotes of its payload. True: it was a
  /// packet of this localiser's.
  bool on_time_exceeded(FlowHandle flow, const IpAddress& router, ByteView quoted);
  /// Another ICMP error, about any packet of the path.
  void on_refused(const Refused& refused);
  /// An answer to any question about this path. True: to one of this localiser's own.
  bool on_answer(const Now& now, const stamp::QueryAnswer& answer);

  std::size_t open_flows() const {
    return (trace_ && run_.own ? 1 : 0) + (keepalives_ ? HopKeepalives::flows(keepalive_hops()) : 0);
  }
  const Findings& findings() const { return findings_; }
  /// Something is being measured, or due, whose result may change the findings.
  bool learns(Instant now) const;
  bool busy() const { return trace_.has_value() || keepalives_.has_value(); }
  /// Keepalives have ended with or without a result since the mapping was found to be short, or cannot be
  /// sent.
  bool keepalives_done() const { return keepalives_done_ || !settings_.identity; }

 private:
  static constexpr FlowHandle kFirstHandle = 0x20000000;
  static constexpr FlowHandle kHandleBits = 0xe0000000;

  struct Run {  // the flow of a trace
    FlowHandle flow = 0;
    std::uint64_t flow_id = 0;
    std::uint16_t ssid = 0;
    bool own = false;
    std::uint32_t sequence = 0;
    std::vector<std::pair<Bytes, unsigned>> sent;  ///< the beginning of each packet, and its TTL
    Instant next{};
  };
  FlowHandle new_handles(std::size_t count);
  static bool trouble(Task::Kind kind) {
    return kind == Task::Kind::silent || kind == Task::Kind::fresh || kind == Task::Kind::large;
  }
  void begin_trace(const Now& now);
  void send_next(const Now& now);
  void end_trace(const Now& now);
  void drop_trace();
  void begin_keepalives(const Now& now);
  void end_keepalives(const Now& now);
  void drop_keepalives();
  std::optional<unsigned> trace_limit() const;
  bool trace_due(Instant now) const;
  bool keepalives_wanted() const;
  unsigned keepalive_hops() const;

  Settings settings_;
  RandomSource random_;
  std::vector<Action> actions_;
  Task task_;
  PathState path_;
  Findings findings_;
  FlowHandle next_handle_ = kFirstHandle;
  std::optional<Trace> trace_;
  Run run_;
  std::optional<HopKeepalives> keepalives_;
  std::vector<std::uint64_t> asked_;  ///< flows of our own question
  Instant next_trace_{};
  Instant next_keepalives_{};
  Nanos longer_{};  ///< on top of the hold, after one that was outlived
  bool keepalives_done_ = false;
  unsigned attempts_ = 0;  ///< of keepalives since the last result
};

}  // namespace ue::probe
