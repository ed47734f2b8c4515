#include "openvpn/fixed_port.h"

namespace ue::openvpn {

using Kind = Event::Kind;

std::optional<Event> FixedPort::arrival(const Event& event) {
  if (event.kind == Kind::process_started) begun_.clear();
  if (!event.of_client || event.peer.empty()) return std::nullopt;
  if (event.kind == Kind::handshake_started) {
    if (std::string* endpoint = admit(begun_, event.peer)) *endpoint = event.endpoint;
    return std::nullopt;
  }
  if (begun_.empty()) return std::nullopt;
  const bool agreed = event.kind == Kind::keys_agreed;
  // Where it is told as new after all, and where it came to nothing, nothing is left to be told.
  if (!agreed && event.kind != Kind::handshake_completed && event.kind != Kind::handshake_failed &&
      event.kind != Kind::client_dropped)
    return std::nullopt;
  const auto begun = begun_.find(event.peer);
  if (begun == begun_.end()) return std::nullopt;
  endpoint_ = std::move(begun->second);
  begun_.erase(begun);
  if (!agreed) return std::nullopt;
  Event arrival = event;
  arrival.kind = Kind::handshake_completed;
  arrival.endpoint = endpoint_;
  return arrival;
}

}  // namespace ue::openvpn
