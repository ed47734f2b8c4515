#include "agent/preflight_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace ue::agent {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kReadRoutinely = 60s;
constexpr Nanos kReadInTrouble = 5s;
constexpr Nanos kLastingRefusal = 3s;     // shorter ones come with a re-dial
constexpr std::uint32_t kSuspicious = 2;  // replies in a row that are missing
constexpr std::uint64_t kProof = 3;       // replies that arrived and reached no socket

}  // namespace

void PreflightWatch::look_at_arrivals(Watched& w, const config::Uplink& uplink,
                                      const uplink::UplinkState& state, const Path& path,
                                      const probe::Observation& o) {
  const bool missing = o.losses_in_a_row >= kSuspicious;
  if (!missing || (w.tap && path.datagrams_received() != w.received_before)) {
    w.tap.reset();
    w.input.clear();
    w.filtered.clear();
    if (!missing) return;
  }
  if (!w.tap) {
    if (w.tap_refused) return;
    auto tap = uplink::ArrivalTap::open(state.ifindex, *path.endpoint());
    if (!tap) {
      w.tap_refused = true;  // without the right to look, nothing is said
      log::info("INPUT_NOT_SEEN", "{}: whether this machine drops replies cannot be seen: {}", uplink.name,
                tap.error());
      return;
    }
    w.tap = std::make_unique<uplink::ArrivalTap>(std::move(*tap));
    w.received_before = path.datagrams_received();
    w.filtered_before = uplink::reverse_path_drops();
    w.arrived = 0;
    return;
  }
  // What was seen at an earlier look has had time to reach its socket.
  const bool proven = w.arrived >= kProof;
  for (const auto port : w.tap->take()) w.arrived += path.has_port(port) ? 1 : 0;
  w.input_known = true;
  if (!proven) return;
  const auto filtered = uplink::reverse_path_drops();
  if (filtered && w.filtered_before && *filtered >= *w.filtered_before + kProof) {
    w.input.clear();
    w.filtered = fmt::format(
        "{} replies from {} arrived on {} and reached no socket, while the reverse path filter dropped {} "
        "packets; run \"sysctl -w net.ipv4.conf.{}.rp_filter=2\"",
        w.arrived, path.reflector(), uplink.interface, *filtered - *w.filtered_before, uplink.interface);
    return;
  }
  w.filtered.clear();
  w.input = fmt::format(
      "{} replies from {} arrived on {} and reached no socket, so this machine's own filter drops them; look "
      "for "
      "the rule with \"nft list ruleset\" or \"iptables -L INPUT -v\" and accept UDP from port {} there",
      w.arrived, path.reflector(), uplink.interface, path.endpoint()->port);
}

void PreflightWatch::look(const Now& now, const config::Uplink& uplink, const uplink::UplinkState& state,
                          const std::vector<std::shared_ptr<Path>>& paths) {
  bool trouble = false;
  const bool read = now.mono >= next_read_;
  for (const auto& path : paths) {
    auto& w = watched_[path->reflector()];
    if (!path->running() || !path->endpoint() || !state.usable()) {
      w = {};
      continue;
    }
    const auto o = path->observe(now.mono);
    const auto refusing = path->send_fault_since();
    w.output = refusing && now.mono - *refusing > kLastingRefusal
                   ? fmt::format(
                         "this machine refuses to send: {}; look at the output rules of its firewall "
                         "(\"nft list ruleset\")",
                         path->send_fault())
                   : "";
    look_at_arrivals(w, uplink, state, *path, o);
    const bool suspicious = o.steady != true || o.losses_in_a_row >= kSuspicious;
    trouble = trouble || suspicious;
    if (!read) continue;
    if (const auto tables = uplink::run_preflight(uplink, state, path->endpoint()->address)) {
      // What is answered is neither misrouted nor filtered, whatever a look-up says.
      w.tables = suspicious ? *tables : uplink::Preflight{};
      w.read = true;
    }
  }
  for (const auto& path : paths) {
    auto& w = watched_[path->reflector()];
    const bool at_fault = !fault(path->reflector()).empty();
    if (std::exchange(w.at_fault, at_fault) && !at_fault) path->rebuild();
  }
  if (read) next_read_ = now.mono + kReadRoutinely;
  if (trouble) next_read_ = std::min(next_read_, now.mono + kReadInTrouble);
}

std::string PreflightWatch::fault(const std::string& reflector) const {
  const auto w = watched_.find(reflector);
  if (w == watched_.end()) return {};
  for (const auto* fault : {&w->second.tables.route, &w->second.tables.rp_filter, &w->second.output,
                            &w->second.filtered, &w->second.input}) {
    if (!fault->empty()) return *fault;
  }
  return {};
}

std::map<std::string, bool> PreflightWatch::checks() const {
  std::map<std::string, bool> ok;
  const auto note = [&](const char* check, const std::string& fault) {
    const auto entry = ok.try_emplace(check, true).first;
    entry->second = entry->second && fault.empty();
  };
  for (const auto& [reflector, w] : watched_) {
    if (!w.read) continue;
    note("route", w.tables.route);
    note("rp_filter", w.tables.rp_filter + w.filtered);
    note("output", w.output);
    if (w.input_known) note("input", w.input);
  }
  return ok;
}

}  // namespace ue::agent
