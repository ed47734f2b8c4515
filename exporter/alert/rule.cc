#include "alert/rule.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace ue::alert {

namespace {

using namespace std::chrono_literals;

// clang-format off
constexpr auto kRules = std::to_array<Rule>({
    {"UplinkUdpOneWay", "critical", 30s, 2min, "An uplink is one-way: UDP leaves, replies no longer come back."},
    {"UplinkMappingShort", "warning", 1min, 15min, "A NAT forgets a flow sooner than the tunnel's keepalive renews it."},
    {"UplinkMappingStuck", "warning", 1min, 2min, "A NAT no longer answers on an old port; a new port works."},
    {"UplinkNewFlowsBlocked", "warning", 1min, 2min, "No new UDP flow is answered through an uplink, only old ones."},
    {"UplinkUdpBlocked", "critical", 1min, 2min, "Outgoing UDP is filtered on an uplink; TCP works."},
    {"UplinkUdpNoReturn", "critical", 2min, 2min, "No UDP reply comes back through an uplink, and nothing can say which way it died."},
    {"UplinkMtuBlackhole", "critical", 2min, 5min, "Small packets pass an uplink, tunnel-sized ones vanish."},
    {"UplinkDown", "critical", 1min, 2min, "An uplink is down."},
    {"UplinkLocalFault", "critical", 1min, 2min, "The gateway itself drops or misroutes what an uplink should carry."},
    {"UplinkReflectorDown", "warning", 2min, 2min, "A reflector is down; no uplink is to blame."},
    {"UplinkLossHigh", "warning", 10min, 10min, "An uplink loses packets."},
    {"UplinkFaultFresh", "none", 0s, 5min, "An uplink turned bad within the last hour."},
    {"UplinkOpenvpnReconnectLoop", "critical", 30s, 1min, "An OpenVPN tunnel reconnects in a loop."},
    {"UplinkOpenvpnDisconnected", "critical", 3min, 1min, "An OpenVPN tunnel is not connected."},
    {"UplinkOpenvpnHandshakeFailing", "warning", 1min, 5min, "An OpenVPN tunnel completes no handshake."},
    {"UplinkOpenvpnOneWayLoop", "critical", 30s, 5min, "An OpenVPN tunnel loops: handshakes pass, then nothing comes back."},
    {"UplinkOpenvpnAuthFailure", "critical", 1min, 5min, "An OpenVPN server refuses a tunnel's credentials."},
    {"UplinkOpenvpnSharedCommonName", "warning", 1min, 5min, "Two clients of an OpenVPN server share one certificate."},
    {"UplinkOpenvpnKeepaliveMismatch", "warning", 1min, 5min, "An OpenVPN server sends no pings, its client expects them."},
    {"UplinkOpenvpnWrongReplySource", "critical", 1min, 5min, "An OpenVPN server replies from an address that was not asked."},
    {"UplinkRouteMismatch", "warning", 1min, 2min, "A destination leaves through another uplink than it should."},
    {"UplinkRouteMissing", "critical", 1min, 2min, "A destination that is watched has no route at all."},
    {"UplinkRouteFlapping", "warning", 1min, 15min, "The way that a destination takes keeps changing."},
    {"UplinkTunnelBlackhole", "warning", 1min, 2min, "Routes lead into a tunnel that is not connected."},
    {"UplinkConntrackNearlyFull", "warning", 5min, 5min, "The connection table of a gateway is nearly full."},
    {"UplinkExporterCollectorDown", "warning", 5min, 2min, "A source of data of an agent is off."},
    {"UplinkExporterReloadFailed", "warning", 1min, 0s, "An agent runs on an older configuration than its file."},
    {"UplinkWatchdog", "none", 0s, 0s, "Always firing: proof that alerts get through."},
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
