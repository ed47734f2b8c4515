#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace ue::openvpn {

/// How one source of a tunnel's events fares.
struct SourceState {
  bool up = false;
  std::string remedy;  ///< why it is down and what to do; empty while up
  /// By reason (a fixed list for each source): troubles are counted when they begin, bad lines one by one.
  std::map<std::string, std::uint64_t> errors;
  std::uint64_t lines = 0;
  std::uint64_t events = 0;  ///< lines that told something; most do not
  std::string trouble;       ///< reason of the present trouble; empty while up

  /// True where this trouble is new, so that it is counted and told once however often we look.
  bool fall(std::string_view reason, std::string what_to_do) {
    up = false;
    remedy = std::move(what_to_do);
    if (trouble == reason) return false;
    trouble = reason;
    ++errors[trouble];
    return true;
  }
  /// True where there was trouble until now.
  bool rise() {
    up = true;
    remedy.clear();
    return !std::exchange(trouble, {}).empty();
  }
};

}  // namespace ue::openvpn
