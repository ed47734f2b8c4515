#pragma once
#include <cstdint>

#include "base/address.h"
#include "base/bytes.h"

namespace ue::reflector {

/// A running hash whose seed is drawn at start: strangers choose the keys of our tables and must not be able
/// to make them collide. Not cryptographic. Mixing step: SplitMix64 (Steele, Lea, Flood 2014).
class SeededHash {
 public:
  SeededHash() : state_(process_seed()) {}

  SeededHash& add(std::uint64_t v) {
    state_ = (state_ ^ v) + 0x9e3779b97f4a7c15;
    state_ = (state_ ^ state_ >> 30) * 0xbf58476d1ce4e5b9;
    state_ = (state_ ^ state_ >> 27) * 0x94d049bb133111eb;
    state_ ^= state_ >> 31;
    return *this;
  }
  SeededHash& add(const Endpoint& e) {
    return add(get_u64(e.address.bytes().data())).add(get_u64(e.address.bytes().data() + 8)).add(e.port);
  }
  std::uint64_t value() const { return state_; }

 private:
  static std::uint64_t process_seed() {
    static const std::uint64_t seed = random_u64();
    return seed;
  }
  std::uint64_t state_;
};

}  // namespace ue::reflector
