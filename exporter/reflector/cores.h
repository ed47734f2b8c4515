#pragma once
#include <cstddef>
#include <functional>

#include "reflector/core.h"

namespace ue::reflector {

/// The cores of a reflector's shards, each to be had for a moment while its own thread waits. What is
/// configured is the same in all of them; each has sessions of its own.
class Cores {
 public:
  virtual ~Cores() = default;
  virtual std::size_t count() const = 0;
  /// Calls `use` with core number `shard` before it returns. Not to be nested, and never from a shard's own
  /// thread.
  virtual void with(std::size_t shard, const std::function<void(ReflectorCore&)>& use) = 0;
};

}  // namespace ue::reflector
