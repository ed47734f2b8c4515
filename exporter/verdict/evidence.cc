#include "verdict/evidence.h"

namespace ue::verdict {

std::string_view name(Verdict v) {
  switch (v) {
    case Verdict::local_fault:
      return "local_fault";
    case Verdict::reflector_down:
      return "reflector_down";
    case Verdict::down:
      return "down";
    case Verdict::udp_blocked:
      return "udp_blocked";
    case Verdict::return_lost:
      return "return_lost";
    case Verdict::one_way:
      return "one_way";
    case Verdict::stuck_mapping:
      return "stuck_mapping";
    case Verdict::new_flows_blocked:
      return "new_flows_blocked";
    case Verdict::mtu_blackhole:
      return "mtu_blackhole";
    case Verdict::no_return:
      return "no_return";
    case Verdict::short_mapping:
      return "short_mapping";
    case Verdict::lossy:
      return "lossy";
    case Verdict::healthy:
      return "healthy";
    case Verdict::unknown:
      return "unknown";
  }
  return "unknown";
}

}  // namespace ue::verdict
