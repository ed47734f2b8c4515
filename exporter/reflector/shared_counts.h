#pragma once
#include "reflector/session.h"
#include "reflector/shared_count.h"

namespace ue::reflector {

struct PrefixHash {
  std::size_t operator()(std::uint64_t prefix) const { return SeededHash().add(prefix).value(); }
};

/// What the limits for a key and for a source prefix count, for all shards of a reflector.
struct SharedCounts {
  SharedCount<Owner, OwnerHash> sessions;
  SharedCount<Owner, OwnerHash> holds;
  SharedCount<std::uint64_t, PrefixHash> holds_by_prefix;
};

}  // namespace ue::reflector
