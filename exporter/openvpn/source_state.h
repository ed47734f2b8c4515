#pragma once
#include <cstdint>
#include <map>
#include <string>

namespace ue::openvpn {

/// How one source of a tunnel's events fares.
struct SourceState {
  bool up = false;
  std::string remedy;  ///< why it is down and what to do; empty while up
  /// By reason (a fixed list for each source): troubles are counted when they begin, bad lines one by one.
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t lines = 0;
  std::uint64_t events = 0;  ///< lines that told something; most do not
};

}  // namespace ue::openvpn
