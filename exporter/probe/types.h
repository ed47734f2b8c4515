#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace ue::probe {

/// Cryptographically random in the agent (flow ids must not be guessable), seeded in simulations.
using RandomSource = std::function<std::uint64_t()>;

/// Names one flow (one source port) between a prober and its shell; never reused.
using FlowHandle = std::uint32_t;

/// How a flow is counted.
enum class FlowKind : std::uint8_t { steady, fresh };

/// What a flow is for at the moment.
enum class Role : std::uint8_t {
  steady,     ///< the one that stands for a tunnel
  witness,    ///< a steady flow that lost its replies and is watched on
  successor,  ///< opened when the steady flow lost its replies
  fresh,      ///< new port, probed at growing ages
  trial,      ///< new port while there is no return, to see it come back
};

/// What the shell is to do, in this order.
struct OpenFlow {
  FlowHandle flow;
  bool dont_fragment = false;  ///< every packet of it
};
struct CloseFlow {
  FlowHandle flow;
};
struct SendProbe {
  FlowHandle flow;
  std::uint32_t sequence;
  Bytes packet;
  std::optional<std::uint8_t> ttl = std::nullopt;  ///< where it is to end on the way
};
struct AskReflector {
  std::vector<std::uint64_t> flow_ids;
};
using Action = std::variant<OpenFlow, CloseFlow, SendProbe, AskReflector>;

/// How a passive part hands out what it has collected. `room`: a list that was read or carried out, to
/// collect what comes next in.
template <typename T>
std::vector<T> hand_out(std::vector<T>& collected, std::vector<T> room = {}) {
  room.clear();
  return std::exchange(collected, std::move(room));
}

/// Who signs the packets; absent for unauthenticated sessions.
struct Identity {
  std::uint32_t key_id = 0;
  std::uint64_t gateway_id = 0;
  std::array<std::uint8_t, 32> secret{};
};

struct Settings {
  Nanos interval = std::chrono::seconds(1);         ///< between probes of the steady flow
  Nanos fresh_interval = std::chrono::seconds(30);  ///< between the openings of fresh flows
  double loss_threshold = 0.05;                     ///< ratio
  std::optional<Identity> identity;
  bool stun = false;  ///< the far end is a STUN server: it answers, and tells nothing else
};

/// What a path's own probes have shown, for those that measure beside them.
struct PathState {
  Nanos loss_timeout = std::chrono::seconds(1);  ///< how long after its time a reply may still come
  std::uint32_t losses_needed = 8;               ///< so many failures in a row are no chance
  std::uint64_t instance_id = 0;                 ///< of the reflector, as last learned; 0 while unknown
  std::size_t open_flows = 0;                    ///< that others have open on the same uplink
  Nanos keepalive = std::chrono::seconds(30);    ///< the silence that a tunnel's mapping must survive
};

/// Every one only grows.
struct FlowCounters {
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t replies = 0;
  std::uint64_t forward_lost = 0;
  std::uint64_t return_lost = 0;
  std::uint64_t unattributed_lost = 0;
};

}  // namespace ue::probe
