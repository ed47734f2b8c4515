#include "alert/rule.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace ue::alert {

namespace {

using namespace std::chrono_literals;

// clang-format off
constexpr auto kRules = std::to_array<Rule>({
    {"UplinkUdpOneWay", "critical", 30s, 0s, "Uplink {{ $labels.uplink }} is one-way: UDP leaves, replies no longer come back"},
    {"UplinkMappingStuck", "warning", 1min, 0s, "Uplink {{ $labels.uplink }}: the NAT no longer answers on an old port, a new port works"},
    {"UplinkNewFlowsBlocked", "warning", 1min, 0s, "Uplink {{ $labels.uplink }}: no new UDP flow is answered, only old ones"},
    {"UplinkUdpBlocked", "critical", 1min, 0s, "Uplink {{ $labels.uplink }}: outgoing UDP is filtered, TCP works"},
    {"UplinkUdpNoReturn", "critical", 2min, 0s, "Uplink {{ $labels.uplink }}: no UDP reply comes back, and nothing can say which way it died"},
    {"UplinkDown", "critical", 1min, 0s, "Uplink {{ $labels.uplink }} is down"},
    {"UplinkReflectorDown", "warning", 2min, 0s, "Reflector {{ $labels.reflector }} is down; no uplink is to blame"},
    {"UplinkLossHigh", "warning", 10min, 0s, "Uplink {{ $labels.uplink }} loses packets"},
    {"UplinkOpenvpnReconnectLoop", "critical", 0s, 0s, "OpenVPN tunnel {{ $labels.tunnel }} reconnects in a loop"},
    {"UplinkOpenvpnDisconnected", "critical", 3min, 0s, "OpenVPN tunnel {{ $labels.tunnel }} is not connected"},
    {"UplinkOpenvpnHandshakeFailing", "warning", 1min, 0s, "OpenVPN tunnel {{ $labels.tunnel }} completes no handshake"},
    {"UplinkOpenvpnOneWayLoop", "critical", 30s, 0s, "OpenVPN tunnel {{ $labels.tunnel }} loops: handshakes pass, then nothing comes back"},
    {"UplinkOpenvpnAuthFailure", "warning", 1min, 0s, "OpenVPN tunnel {{ $labels.tunnel }}: credentials are refused"},
    {"UplinkOpenvpnSharedCommonName", "warning", 1min, 0s, "OpenVPN server {{ $labels.tunnel }}: two clients share one certificate"},
    {"UplinkOpenvpnKeepaliveMismatch", "warning", 1min, 0s, "OpenVPN tunnel {{ $labels.tunnel }}: the server sends no pings, the client expects them"},
    {"UplinkOpenvpnWrongReplySource", "critical", 1min, 0s, "OpenVPN tunnel {{ $labels.tunnel }}: replies come from an address that was not asked"},
    {"UplinkConntrackNearlyFull", "warning", 5min, 0s, "The connection table of {{ $labels.instance }} is nearly full"},
    {"UplinkExporterCollectorDown", "warning", 5min, 0s, "uplink_exporter on {{ $labels.instance }}: collector {{ $labels.collector }} is off"},
    {"UplinkWatchdog", "info", 0s, 0s, "Always firing: proof that alerts get through"},
});
// clang-format on

}  // namespace

const Rule& rule(std::string_view name) {
  const auto found =
      std::find_if(kRules.begin(), kRules.end(), [&](const Rule& r) { return r.name == name; });
  if (found == kRules.end()) throw std::logic_error("no alert of this name");
  return *found;
}

std::size_t rule_count() { return kRules.size(); }
const Rule& rule_at(std::size_t index) { return kRules[index]; }

std::string runbook_of(const Rule& rule) {
  std::string anchor(rule.name);
  for (char& c : anchor) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return "rules/README.md#" + anchor;
}

}  // namespace ue::alert
