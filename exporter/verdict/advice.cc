#include "verdict/advice.h"

namespace ue::verdict {

std::string_view advice(Verdict v) {
  switch (v) {
    case Verdict::local_fault:
      return "Run the command that the reason names: no carrier is to blame.";
    case Verdict::reflector_down:
      return "Look at the far end's host, its firewall and uplink_reflector on it.";
    case Verdict::down:
      return "Check cable, modem and address; then it is the carrier's. Route the tunnel through another "
             "uplink.";
    case Verdict::udp_blocked:
      return "Try another port (443/udp), or proto tcp on this uplink; better, route the tunnel through "
             "another one.";
    case Verdict::return_lost:
      return "Wait some seconds: what kind of fault it is, is being measured.";
    case Verdict::one_way:
      return "Send only the VPN server's address through another uplink: ip route add SERVER via ROUTER dev "
             "IF.";
    case Verdict::stuck_mapping:
      return "Restart the tunnel, so that it uses a new source port (nobind).";
    case Verdict::new_flows_blocked:
      return "Leave the tunnel as it is, and ask the carrier about its limit of sessions or ports.";
    case Verdict::mtu_blackhole:
      return "Set the mssfix that the reason names, on both sides.";
    case Verdict::no_return:
      return "Set up uplink_reflector on a host of yours: only the far end can say which way packets die.";
    case Verdict::short_mapping:
      return "Set the keepalive that the reason names, on both sides.";
    case Verdict::lossy:
      return "Note the direction and the hour, and show both to the carrier.";
    case Verdict::healthy:
      return "";
    case Verdict::unknown:
      break;
  }
  return "Measure for longer (--duration), and look whether the far end answers at all.";
}

}  // namespace ue::verdict
