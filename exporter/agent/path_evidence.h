#pragma once
#include <string>

#include "probe/mapping_lifetime.h"
#include "probe/path_prober.h"
#include "verdict/evidence.h"

namespace ue::agent {

/// OpenVPN's usual keepalive is 10 s; 30 s is what other tunnels and phones send at least.
inline constexpr Nanos kUsualKeepalive = std::chrono::seconds(30);

/// What the agent knows of a path beside its probes.
struct PathContext {
  std::string uplink;
  std::string reflector;
  bool link_up = true;
  bool link_settled = true;  ///< down for longer than a re-dial takes
  std::string link_fault;
  std::string local_fault;    ///< what the gateway itself does wrong; empty: nothing known
  std::string tracker_full;   ///< the same of its connection tracker, which new flows suffer from first
  std::string tracker_short;  ///< it forgets a flow sooner than the tunnel's keepalive renews it
  std::optional<Nanos> tracker_timeout;    ///< of a stream; absent: it tracks nothing
  std::uint64_t bystanders = 0;            ///< UDP flows of other programs, lately
  std::uint64_t bystanders_unreplied = 0;  ///< of which nothing came back
  bool silent_everywhere = false;          ///< the reflector answers nothing through any uplink
  std::string proof;                       ///< what speaks against the reflector; empty: nothing does
  bool answered_via_other_uplink = false;
  bool every_uplink_silent = false;
  bool witness_configured = false;
  /// What TCP showed on another path of this uplink on which UDP is dead, too: many STUN servers have no TCP.
  struct Beside {
    std::string reflector;
    bool tcp = false;
    bool attributable = true;
  };
  std::optional<Beside> beside;
  std::string complaint;  ///< who refuses probes by ICMP, and how
  std::string query_fault;
  std::optional<probe::MappingLifetime::Bracket> stream;  ///< how long a stream's mapping survives silence
  std::optional<bool> size;                               ///< packets as large as a tunnel's pass
  std::uint32_t tunnel_size = 0;                          ///< octets of IP
  std::optional<std::uint32_t> passing_payload;           ///< a smaller one that does, octets of UDP
  std::optional<Nanos> keepalive;                         ///< of the tunnels, where known
  verdict::Trail trail;                                   ///< where on the way something happens
};

/// Pure: puts what probes and surroundings show into the words of the verdict room.
verdict::Facts make_facts(const probe::Observation& observation, const PathContext& context);
/// The same with the figures for the sentence.
verdict::Evidence make_evidence(const probe::Observation& observation, const PathContext& context);

/// Whether a missing reply says something about what it was asked for, the silence before it or its size:
/// only while others come back. `before`: whether it did. A suspicion ends nothing, or a line that loses
/// three probes in a row now and then would never be measured: what is measured has controls of its own.
bool silence_tells(bool before, probe::Standing standing, verdict::Tri steady);

/// The pace that a verdict allows.
probe::Standing standing_for(verdict::Verdict v);

}  // namespace ue::agent
