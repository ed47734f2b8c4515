#pragma once
#include <optional>
#include <string>

#include "openvpn/by_name.h"
#include "openvpn/event.h"

namespace ue::openvpn {

/// A client that always comes from one port keeps its instance at the server, which then tells of its return
/// neither a new connection nor who it is: only a first packet on an instance that has a name, and keys
/// agreed on behind it (a soft reset has no first packet). Pure, bounded; owned by whoever owns a
/// SessionTracker.
class FixedPort {
 public:
  /// The arrival that `event` completes, with views of this object and of `event`; most complete none.
  std::optional<Event> arrival(const Event& event);

 private:
  ByName<std::string> begun_;  ///< endpoint of each first packet whose handshake has not ended
  std::string endpoint_;       ///< of the newest arrival
};

}  // namespace ue::openvpn
