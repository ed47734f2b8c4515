#pragma once
#include <numeric>

#include "base/bytes.h"

namespace ue::stamp {

/// 00 01 02 ... 1f
inline Bytes counting_key() {
  Bytes key(32);
  std::iota(key.begin(), key.end(), std::uint8_t{0});
  return key;
}

}  // namespace ue::stamp
