#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "config/config.h"
#include "config/fields.h"
#include "config/file.h"
#include "config/yaml_reader.h"

namespace ue::config {

namespace {

std::uint32_t read_limit(const Value& v, std::uint32_t max) {
  return static_cast<std::uint32_t>(v.integer(1, max));
}

// The upper ends are there to catch a slip of the keyboard: a session takes a few hundred octets of memory.

/// Keys of `limits`.
// clang-format off
constexpr Setting<ReflectorLimits> kLimitKeys[] = {
    {"max_sessions", "`100000`", "flows that are known at once", [](const Value& v, ReflectorLimits& l) { l.max_sessions = read_limit(v, 10'000'000); }},
    {"max_sessions_per_key", "`1000`", "... of one gateway", [](const Value& v, ReflectorLimits& l) { l.max_sessions_per_key = read_limit(v, 10'000'000); }},
    {"packets_per_second_per_source", "`200`", "for an IPv4 address or an IPv6 /56, in each of the reflector's threads", [](const Value& v, ReflectorLimits& l) { l.packets_per_second_per_source = read_limit(v, 1'000'000); }},
    {"query_connections", "`64`", "TCP connections at once, for questions", [](const Value& v, ReflectorLimits& l) { l.query_connections = read_limit(v, 10'000); }},
    {"max_holds", "`100000`", "replies held back at once; a change needs a restart", [](const Value& v, ReflectorLimits& l) { l.max_holds = read_limit(v, 10'000'000); }},
    {"max_holds_per_key", "`1000`", "... for one gateway", [](const Value& v, ReflectorLimits& l) { l.max_holds_per_key = read_limit(v, 10'000'000); }},
    {"max_holds_per_prefix", "`2000`", "... for an IPv4 /24 or an IPv6 /48", [](const Value& v, ReflectorLimits& l) { l.max_holds_per_prefix = read_limit(v, 10'000'000); }},
};
// clang-format on

ReflectorLimits read_limits(const Value& v) {
  ReflectorLimits l = read_map<ReflectorLimits>(v, kLimitKeys);
  if (l.max_sessions_per_key > l.max_sessions) {
    if (const auto per_key = v.find("max_sessions_per_key")) {
      per_key->fail(fmt::format("expected at most max_sessions, which is {}", l.max_sessions));
    }
    l.max_sessions_per_key = l.max_sessions;
  }
  return l;
}

std::vector<HostPort> read_listen(const Value& v) {
  std::vector<HostPort> out;
  const auto items = v.items("a list such as [0.0.0.0:862, \"[::]:862\"]");
  if (items.empty()) v.fail("expected at least one address:port to listen on");
  for (const Value& item : items) {
    const HostPort address = read_listen_address(item);
    if (std::find(out.begin(), out.end(), address) != out.end()) {
      item.fail(fmt::format("{} stands in the list already", quote(address.to_string())));
    }
    out.push_back(address);
  }
  return out;
}

/// Keys of the file.
// clang-format off
constexpr Setting<ReflectorConfig> kKeys[] = {
    {"listen", "`[\"0.0.0.0:862\", \"[::]:862\"]`", "UDP for probes, and TCP on the same port for questions; a second, high port helps where a carrier treats low ports apart", [](const Value& v, ReflectorConfig& c) { c.listen = read_listen(v); }},
    {"key_file", "none", "keys of the gateways; needed unless `allow_unauthenticated`", [](const Value& v, ReflectorConfig& c) { c.key_file = read_path(v); }},
    {"allow_unauthenticated", "`false`", "answer probes without a key; no delayed replies for them", [](const Value& v, ReflectorConfig& c) { c.allow_unauthenticated = v.boolean(); }},
    {"limits", "as below", "how much it does for one gateway, and for all", [](const Value& v, ReflectorConfig& c) { c.limits = read_limits(v); }},
};
// clang-format on

}  // namespace

Result<ReflectorConfig> parse_reflector_config(std::string_view yaml, const std::string& file) {
  const auto tree = parse_yaml(yaml, file);
  if (!tree) return Error{tree.error()};
  Report report(file);
  const Value root(*tree, "", report);
  ReflectorConfig defaults;
  defaults.listen = {{"0.0.0.0", 862}, {"::", 862}};
  ReflectorConfig config = read_document<ReflectorConfig>(root, kKeys, std::move(defaults));
  if (config.key_file.empty() && !config.allow_unauthenticated) {
    root.fail_missing("key_file",
                      "is missing: make a key with 'uplinktool keygen' and name its file here, or set "
                      "allow_unauthenticated: true to answer anybody");
  }
  if (report.first()) return *report.first();
  return config;
}

Result<ReflectorConfig> load_reflector_config(const std::string& path) {
  const auto text = read_file(path, kMaxFileSize);
  if (!text) return Error{text.error()};
  auto config = parse_reflector_config(*text, path);
  if (config) config->key_file = resolve_path(path, config->key_file);
  return config;
}

}  // namespace ue::config
