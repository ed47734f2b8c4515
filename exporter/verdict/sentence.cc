#include "verdict/sentence.h"

#include <fmt/format.h>

namespace ue::verdict {

namespace {

std::string percent(double ratio) { return fmt::format("{:.0f} %", ratio * 100); }

/// How the far end is known to have received our packets.
std::string delivery(const Figures& f) {
  if (f.delivered_unanswered == 0) return "packets still arrive there";
  return fmt::format("{} says over TCP{} that it received {} of the unanswered probes", f.reflector,
                     f.answered_via_other_uplink ? " through another uplink" : "", f.delivered_unanswered);
}

std::string silence(const Figures& f) {
  return fmt::format("{} replies in a row are missing on the steady flow ({} or more cannot be chance)",
                     f.losses_in_a_row, f.losses_needed);
}

std::string one_way(const Figures& f) {
  const auto age = f.dies_at_age.value_or(Nanos::zero());
  const auto limit =
      age < std::chrono::milliseconds(500)
          ? std::string("new flows get no reply at all")
          : fmt::format("new flows lose theirs about {} after they open", format_duration(age));
  return fmt::format(
      "Packets leave through {} but replies no longer come back: {}, and {}; no keepalive helps, so route "
      "the tunnel "
      "through another uplink.",
      f.uplink, delivery(f), limit);
}

/// Whom the error queue names.
std::string complaint(const Figures& f) {
  return f.complaint.empty() ? std::string() : fmt::format(" ({})", f.complaint);
}

std::string down(const Evidence& e) {
  const auto& f = e.figures;
  if (e.facts.link == Tri::no) return fmt::format("Uplink {} is down: {}.", f.uplink, f.link_fault);
  const auto text =
      fmt::format("Neither UDP nor TCP gets an answer from {} through {}, and nothing saw our packets arrive",
                  f.reflector, f.uplink);
  if (f.every_uplink_silent && !f.witness_configured) {
    return text +
           fmt::format("; every uplink is silent and no witness is configured, so it could be {} itself.",
                       f.reflector);
  }
  return text + fmt::format("{}: the uplink or its carrier is out.", complaint(f));
}

std::string short_mapping(const Figures& f) {
  if (!f.fatal_silence)
    return fmt::format("The NAT behind {} forgets a flow sooner than the tunnel's keepalive renews it.",
                       f.uplink);
  // Two thirds of what was survived: a keepalive may be late. OpenVPN restarts after six times that.
  const auto keepalive = std::chrono::floor<std::chrono::seconds>(f.survived_silence * 2 / 3).count();
  const auto cure =
      keepalive > 0 ? fmt::format("set \"keepalive {} {}\" or less", keepalive, keepalive * 6)
                    : std::string("no keepalive survives that, so route the tunnel through another uplink");
  return fmt::format(
      "The NAT behind {} forgets a flow after {} of silence ({} is survived), and the tunnel {} every {}: "
      "{}.",
      f.uplink, format_duration(*f.fatal_silence),
      f.survived_silence > Nanos::zero() ? format_duration(f.survived_silence)
                                         : std::string("less than a second"),
      f.keepalive_known ? "sends a keepalive" : "is taken to send one", format_duration(f.keepalive), cure);
}

/// OpenVPN's mssfix without `mtu` counts what is inside UDP, in every version.
std::string mtu_blackhole(const Figures& f) {
  return fmt::format(
      "Small packets pass through {} and tunnel-sized ones{} do not, and no router says why: {}.", f.uplink,
      f.tunnel_size > 0 ? fmt::format(" of {} octets", f.tunnel_size) : "",
      f.passing_payload ? fmt::format("set \"mssfix {}\" in the tunnel", *f.passing_payload)
                        : std::string("lower the tunnel's MTU"));
}

std::string lossy(const Figures& f) {
  return fmt::format(
      "Replies come back but packets are lost: {} on the way out, {} on the way back, {} unattributed, of "
      "{} probes in the last two minutes.",
      percent(f.forward_loss), percent(f.return_loss), percent(f.unattributed_loss), f.window_probes);
}

std::string healthy(const Figures& f) {
  return fmt::format(
      "Replies come back on old and new flows{}; loss {} out, {} back over the last two minutes.",
      f.rtt ? fmt::format(" after {:.1f} ms", to_seconds(*f.rtt) * 1e3) : "", percent(f.forward_loss),
      percent(f.return_loss));
}

/// What the gateway's own connection tracker saw of everybody else, where that agrees with a dead return
/// path.
void add_bystanders(std::string& sentence, const Figures& f) {
  constexpr std::uint64_t kFew = 3;
  if (f.bystanders < kFew || f.bystanders_unreplied * 2 < f.bystanders) return;
  sentence.pop_back();
  sentence +=
      fmt::format("; of {} other UDP flows through {} in the last two minutes {} got no answer either.",
                  f.bystanders, f.uplink, f.bystanders_unreplied);
}

std::string explain_alone(Verdict v, const Evidence& e) {
  const auto& f = e.figures;
  switch (v) {
    case Verdict::local_fault:
      return fmt::format("The gateway itself is at fault: {}.", f.local_fault);
    case Verdict::reflector_down:
      return fmt::format(
          "Reflector {} answers through no uplink, and {}: it is the reflector, not uplink {}.", f.reflector,
          f.proof, f.uplink);
    case Verdict::down:
      return down(e);
    case Verdict::udp_blocked:
      return fmt::format(
          "{} received none of our UDP packets through {} although TCP to it works: UDP is filtered on "
          "the way out{}.",
          f.reflector, f.uplink, complaint(f));
    case Verdict::return_lost:
      return fmt::format(
          "Replies stopped coming back through {}: {}, yet {}; whether a new port cures it is being "
          "measured.",
          f.uplink, silence(f), delivery(f));
    case Verdict::one_way:
      return one_way(f);
    case Verdict::stuck_mapping:
      return fmt::format(
          "The NAT behind {} stopped returning replies to the old port: {}, yet {}; reconnecting from a new "
          "port "
          "cures it.",
          f.uplink, silence(f),
          f.outlived_age
              ? fmt::format("a newer flow has been answered for {}", format_duration(*f.outlived_age))
              : "newer flows are answered");
    case Verdict::new_flows_blocked:
      return fmt::format(
          "The old flow through {} is answered, but the last {} new flows got no reply: the NAT accepts "
          "no new flows{}, and the tunnel will not survive its next reconnect.",
          f.uplink, f.dead_fresh_flows, complaint(f));
    case Verdict::mtu_blackhole:
      return mtu_blackhole(f);
    case Verdict::no_return:
      return fmt::format(
          "No UDP reply comes back through {} although TCP to {} works, and nothing can say which way the "
          "packets died{}.",
          f.uplink, f.reflector, f.query_fault.empty() ? "" : " (" + f.query_fault + ")");
    case Verdict::short_mapping:
      return short_mapping(f);
    case Verdict::lossy:
      return lossy(f);
    case Verdict::healthy:
      return healthy(f);
    case Verdict::unknown:
      break;
  }
  return fmt::format("Not enough evidence yet about {}.", f.uplink);
}

}  // namespace

std::string explain(Verdict v, const Evidence& e) {
  auto why = explain_alone(v, e);
  switch (v) {
    case Verdict::down:
    case Verdict::udp_blocked:
    case Verdict::return_lost:
    case Verdict::one_way:
    case Verdict::no_return:
      add_bystanders(why, e.figures);
      break;
    default:
      break;
  }
  return why;
}

}  // namespace ue::verdict
