#pragma once
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

}  // namespace ue::sim
