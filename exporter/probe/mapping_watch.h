#pragma once
#include <array>
#include <map>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "probe/types.h"

namespace ue::probe {

/// What came before a flow was seen from another port.
enum class PortChange : std::uint8_t {
  idle,          ///< the flow had been silent: its mapping was forgotten
  active,        ///< it had not: the NAT moved a flow in use
  every_packet,  ///< packets that follow each other are all seen from different ports
};
inline constexpr PortChange kPortChanges[] = {PortChange::idle, PortChange::active, PortChange::every_packet};
std::string_view name(PortChange c);

/// By which address and port the far end sees our flows, and what became of it. Passive; owned by PathProber,
/// which tells it of every packet sent and of every sighting that rides on a reply or an answer.
class MappingWatch {
 public:
  /// How long nothing was sent on the flow before; zero for its first packet.
  Nanos sent(FlowHandle flow, Instant now);
  /// The far end saw the flow's probe of this number as coming from `mapped`.
  void seen(FlowHandle flow, std::uint32_t sequence, const Endpoint& mapped);
  void closed(FlowHandle flow) { flows_.erase(flow); }
  void clear() { flows_.clear(); }

  const std::optional<Endpoint>& endpoint() const { return newest_; }  ///< of any flow
  std::uint64_t address_changes() const { return address_changes_; }   ///< between any two sightings
  std::uint64_t port_changes() const;                                  ///< of one and the same flow
  std::uint64_t port_changes(PortChange c) const { return port_changes_[static_cast<std::size_t>(c)]; }

 private:
  struct Flow {
    std::optional<Endpoint> mapped;
    std::uint32_t sequence = 0;     ///< of the newest sighting
    std::uint32_t consecutive = 0;  ///< changes in a row between packets that follow each other
    std::optional<Instant> last_sent;
    Nanos longest_gap{};  ///< since the newest sighting
  };

  std::map<FlowHandle, Flow> flows_;
  std::optional<Endpoint> newest_;
  std::uint64_t address_changes_ = 0;
  std::array<std::uint64_t, std::size(kPortChanges)> port_changes_{};
};

}  // namespace ue::probe
