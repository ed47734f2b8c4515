#include "openvpn/log_line.h"

#include "openvpn/client_prefix.h"
#include "openvpn/log_head.h"
#include "openvpn/log_message.h"

namespace ue::openvpn {

std::optional<Event> parse_log_line(std::string_view line, const LogClock& clock) {
  const LogHead head = split_head(line);
  if (head.foreign) return std::nullopt;
  const ClientPrefix prefix = find_client_prefix(head.text);
  const std::string_view text = head.text.substr(prefix.size);
  const LogMessage* message = find_log_message(text);
  if (message == nullptr) return std::nullopt;  // most lines end here
  Event event;
  event.kind = message->kind;
  if (prefix.size > 0) {
    event.of_client = true;
    event.peer = prefix.peer(head.text);
    event.endpoint = prefix.endpoint(head.text);
  }
  if (!message->fill(text.substr(message->literal.size()), event)) return std::nullopt;
  if (const auto time = head.time()) event.at = clock.resolve(*time);
  return event;
}

}  // namespace ue::openvpn
