#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "verdict/scope.h"

/// What is known, and what is concluded from it. These are the types that cross rooms: the agent fills
/// Evidence from whatever it measures with, this room turns it into a Verdict, and knows no protocol.
namespace ue::verdict {

/// In the order of the table (design: first match wins); `unknown` is last.
enum class Verdict : std::uint8_t {
  local_fault,
  reflector_down,
  down,
  udp_blocked,
  return_lost,
  one_way,
  stuck_mapping,
  new_flows_blocked,
  mtu_blackhole,
  no_return,
  short_mapping,
  lossy,
  healthy,
  unknown,
};
inline constexpr std::size_t kVerdicts = 14;
std::string_view name(Verdict v);
inline constexpr std::array<Verdict, kVerdicts> kAllVerdicts{
    Verdict::local_fault,   Verdict::reflector_down, Verdict::down,          Verdict::udp_blocked,
    Verdict::return_lost,   Verdict::one_way,        Verdict::stuck_mapping, Verdict::new_flows_blocked,
    Verdict::mtu_blackhole, Verdict::no_return,      Verdict::short_mapping, Verdict::lossy,
    Verdict::healthy,       Verdict::unknown};

/// Three-valued knowledge. `unknown` is never counted for or against anything.
enum class Tri : std::uint8_t { no, yes, unknown };
inline constexpr Tri tri(bool b) { return b ? Tri::yes : Tri::no; }

/// What became of flows younger than the steady one that died.
enum class Successors : std::uint8_t {
  unknown,
  died,      ///< from the start or at age N: no keepalive helps
  outlived,  ///< one lived past its predecessor's age at death, or 10 min
};

/// Everything the table looks at, for one path (uplink and reflector). Each field is settled by its own
/// statistics before it says yes or no.
struct Facts {
  Tri link = Tri::unknown;          ///< interface, carrier, address and route are there
  Tri local = Tri::unknown;         ///< preflight: the gateway itself neither drops nor misroutes
  Tri forward = Tri::unknown;       ///< the far end received our packets (its own word, or replies)
  Tri steady = Tri::unknown;        ///< the steady flow is answered
  Tri fresh = Tri::unknown;         ///< new flows are answered when they start
  Tri size = Tri::unknown;          ///< tunnel-sized packets pass
  Tri tcp = Tri::unknown;           ///< an authenticated answer over TCP through this uplink
  Tri attributable = Tri::unknown;  ///< no: nothing can say which way the missing replies died
  Tri reflector = Tri::unknown;     ///< yes: it answered something, through any uplink; no: silent everywhere
  Tri refused = Tri::unknown;  ///< positive proof against the reflector: it refuses, or a witness answers
  Successors successors = Successors::unknown;
  Tri short_lived = Tri::unknown;  ///< a stream's mapping dies sooner than the keepalive
  Tri lossy = Tri::unknown;        ///< losses above the threshold
};

/// Figures for the sentence; none of them decides anything.
struct Figures {
  std::string uplink;
  std::string reflector;
  double forward_loss = 0;  ///< ratio over the last minute
  double return_loss = 0;
  double unattributed_loss = 0;
  std::uint64_t window_probes = 0;         ///< settled probes that the ratios are of
  std::uint32_t losses_in_a_row = 0;       ///< on the steady flow
  std::uint32_t losses_needed = 0;         ///< K of the error budget
  std::uint64_t delivered_unanswered = 0;  ///< probes that the far end confirms and that were not answered
  std::uint32_t dead_fresh_flows = 0;      ///< in a row
  std::optional<Nanos> dies_at_age;        ///< N: the age at which successors die; 0 from the start
  std::optional<Nanos> outlived_age;       ///< how old the successor is that outlived its predecessor
  std::optional<Nanos> rtt;                ///< smoothed
  Nanos survived_silence{};                ///< the longest after which a stream's mapping still lived
  std::optional<Nanos> fatal_silence;      ///< the shortest longer one after which it did not
  Nanos keepalive{};                       ///< how often the tunnel sends when it has nothing to say
  bool keepalive_known = false;            ///< learned from the tunnel; else the usual value is assumed
  std::uint32_t tunnel_size = 0;           ///< octets of IP that do not pass
  std::optional<std::uint32_t> passing_payload;  ///< octets of UDP payload that do
  std::string link_fault;                        ///< what of link, address or route is missing
  std::string local_fault;
  std::string proof;             ///< what speaks against the reflector
  std::string complaint;         ///< who refuses probes by ICMP, and how
  std::string query_fault;       ///< why the query channel had no answer
  std::uint64_t bystanders = 0;  ///< UDP flows of other programs through this uplink, over the last minutes
  std::uint64_t bystanders_unreplied = 0;  ///< of which nothing came back
  bool answered_via_other_uplink = false;
  bool every_uplink_silent = false;
  bool witness_configured = false;
};

struct Evidence {
  Facts facts;
  Figures figures;
  Trail trail;
};

/// A verdict with its reason, as people see it.
struct Conclusion {
  Verdict verdict = Verdict::unknown;
  std::string why;  ///< one sentence, and where it is known one that says where
  Scope scope = Scope::unknown;
  std::string where{};  ///< that second sentence by itself: the hop, and what tells it
};

}  // namespace ue::verdict
