#pragma once
#include "sim/per_flow.h"
#include "sim/virtual_path.h"

/// Behaviours of carriers' NATs, by the names of the lab's recipes (tests/lab).
namespace ue::sim {

/// a3: a flow gets its replies for `lifetime` after its first packet, and never again. From `since` on:
/// flows first seen before count from their first packet too.
Behaviour absolute_lifetime(VirtualPath& path, Nanos lifetime, Nanos since = {});
/// A flow gets its replies while it has sent within `timeout`: an ordinary NAT.
Behaviour idle_timeout(Nanos timeout);
/// b1, b2: nothing passes; as a behaviour of `back` a one-way path, of `out` blocked UDP.
Behaviour nothing();
/// The flows that were first seen before now, and only they, pass no longer.
Behaviour without_flows_until_now(VirtualPath& path);
/// e: flows that are new from now on do not pass; those seen before do.
Behaviour only_flows_until_now(VirtualPath& path);

/// When a mapping is forgotten. Zero: never.
struct NatTimers {
  Nanos unreplied{};  ///< after the newest packet, before any reply
  Nanos replied{};    ///< after the first reply
  Nanos stream{};     ///< once traffic has gone both ways for two seconds
  Nanos absolute{};   ///< after the flow's first packet, whatever is sent
  bool inbound_refreshes = true;
  bool returns = true;  ///< false: no reply ever passes
};

/// A NAT that keeps a mapping for each flow, by timers that may be changed at any time.
class TimedNat {
 public:
  explicit TimedNat(NatTimers timers_of_it) : timers(timers_of_it) {}
  NatTimers timers;

  /// It stands on the way of `path`, which it must outlive.
  void stand_on(VirtualPath& path);
  /// A packet out of the flow is translated; always possible.
  void outward(probe::FlowHandle flow, Instant now);
  /// Every mapping is forgotten.
  void restart() { mappings_.clear(); }
  /// Whether a packet in still finds the mapping.
  bool inward(probe::FlowHandle flow, Instant now);

 private:
  struct Mapping {
    bool there = false;
    Instant first{};
    Instant newest{};
    bool replied = false;
    bool stream = false;
  };
  bool forgotten(const Mapping& mapping, Instant now) const;
  PerFlow<Mapping> mappings_;
};

}  // namespace ue::sim
