#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ue::openvpn {

/// What is remembered of a server's clients by common name. The names are written by others, so whoever owns
/// such a map admits no more than kMaxClients of them, and none longer than kMaxName octets.
inline constexpr std::size_t kMaxClients = 16'384;
inline constexpr std::size_t kMaxName = 256;

/// May throw, as far as its type tells: so the standard library keeps each name's hash beside it, and a look
/// for one name does not hash its neighbours anew.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};
template <typename Value>
using ByName = std::unordered_map<std::string, Value, NameHash, std::equal_to<>>;

/// The entry of `name`, a new one where there is room for it, else nothing.
template <typename Value>
Value* admit(ByName<Value>& all, std::string_view name) {
  if (const auto known = all.find(name); known != all.end()) return &known->second;
  if (all.size() >= kMaxClients || name.size() > kMaxName) return nullptr;
  return &all.emplace(name, Value{}).first->second;
}

}  // namespace ue::openvpn
