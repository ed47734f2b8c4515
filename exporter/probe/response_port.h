#pragma once
#include <map>
#include <vector>

#include "base/address.h"
#include "probe/types.h"

namespace ue::probe {

/// What a HoldLadder does where the far end is a STUN server that holds nothing back: the lifetime test of
/// RFC 5780 §4.6. When the silence of a rung is over, another flow of ours asks the server to answer to the
/// rung's outer port (RESPONSE-PORT). The answer goes to the address that the asking flow is seen from, so a
/// NAT that gives our flows different addresses cannot be measured: such rungs, and those of a server that
/// does not offer this, say nothing. Passive; owned by a HoldLadder.
class ResponsePort {
 public:
  /// Begins a batch with the asking flow.
  void open(const Instant& now, FlowHandle own, std::uint64_t id, std::vector<Action>& actions);
  void close(std::vector<Action>& actions);

  /// Sends a rung's probe, and notes when its answer is to be asked for again where it is to be `held`.
  void send(Instant now, FlowHandle rung, std::uint64_t rung_id, std::uint32_t sequence, Nanos held,
            std::vector<Action>& actions);
  /// Sends what is due. Returns the rungs that can say nothing.
  std::vector<FlowHandle> advance(Instant now, std::vector<Action>& actions);
  Instant wake_at() const;

  struct Told {
    FlowHandle rung;
    std::uint32_t sequence = 0;
    Nanos held{};          ///< zero: answered at once, before the silence
    bool refused = false;  ///< the server answered where it was not to
  };
  std::optional<Told> on_datagram(FlowHandle flow, ByteView datagram);

 private:
  struct Rung {
    std::uint64_t id = 0;
    std::optional<Endpoint> mapped;
    std::map<std::uint32_t, Nanos> held;  ///< by sequence
  };
  struct Wake {
    Instant at;
    FlowHandle rung;
    std::uint32_t sequence;
  };

  FlowHandle own_ = 0;  ///< 0: closed
  std::uint64_t own_id_ = 0;
  std::uint32_t greetings_ = 0;
  Instant next_greeting_{};
  std::optional<IpAddress> own_address_;
  std::map<FlowHandle, Rung> rungs_;
  std::vector<Wake> wakes_;
};

}  // namespace ue::probe
