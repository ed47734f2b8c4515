#pragma once
#include <optional>
#include <vector>

#include "probe/packets.h"
#include "probe/types.h"

namespace ue::probe {

/// Finds the NAT that forgets, by Richter's method (IMC 2016): flows in parallel, each a short stream, then a
/// reply held for longer than the mapping lives, and meanwhile packets whose TTL ends at hop h, another h on
/// every flow. The reply comes back where all that lies beyond h remembers for so long; the smallest such h
/// is the farthest hop that forgets. Needs holds. Passive; owned by Localiser.
class HopKeepalives {
 public:
  struct Plan {
    unsigned hops = 0;  ///< h goes from 0 (no packets) to this
    Nanos hold{};       ///< longer than the mapping lives
    Nanos every{};      ///< between two packets, shorter than it lives
  };
  enum class Outcome : std::uint8_t {
    running,
    found,
    outlived,      ///< even without packets the reply came: the hold was too short
    inconclusive,  ///< replies were lost, or no packet in between keeps the mapping
    refused,       ///< the reflector holds nothing
  };
  /// Each flow is opened as handle `first` + n.
  HopKeepalives(const Plan& plan, FlowHandle first, const Identity& identity, const PathState& path,
                const RandomSource& random, Instant now);

  static std::size_t flows(unsigned hops) { return (hops + 1) * kRepeats; }
  static constexpr unsigned kMostHops = 6;  ///< 14 flows, with a steady and two fresh ones 17

  void advance(const Now& now, Nanos loss_timeout, std::vector<Action>& actions);
  Instant wake_at() const;
  void on_datagram(FlowHandle flow, ByteView datagram);
  /// Closes what is open.
  void abandon(std::vector<Action>& actions);

  Outcome outcome() const { return outcome_; }
  unsigned forgetful_hop() const { return hop_; }  ///< of Outcome::found
  Nanos hold() const { return plan_.hold; }
  /// Of the flows whose reply was held past the end of the mapping: the far end may have heard of it by ICMP.
  std::vector<std::uint64_t> lost_flows() const;

 private:
  static constexpr std::size_t kRepeats = 2;

  struct Flow {
    FlowHandle handle = 0;
    std::uint64_t id = 0;
    std::uint16_t ssid = 0;
    unsigned ttl = 0;  ///< of the packets during the hold; 0: none are sent
    Instant begin{};
    std::uint32_t sent = 0;
    bool open = false;
    bool closed = false;
    bool exchanged = false;
    bool came_back = false;
    Instant next(const Plan& plan) const;
    Instant held_until(const Plan& plan) const;
  };
  void send(const Now& now, Flow& flow, std::vector<Action>& actions);
  void conclude();

  Plan plan_;
  Identity identity_;
  std::uint64_t instance_id_;
  Nanos grace_ = std::chrono::seconds(2);
  std::vector<Flow> flows_;
  Outcome outcome_ = Outcome::running;
  unsigned hop_ = 0;
};

}  // namespace ue::probe
