#pragma once
#include <string_view>

#include "openvpn/event.h"

namespace ue::openvpn {

/// One of OpenVPN's messages that tell an event, known by its first words.
struct LogMessage {
  std::string_view literal;
  Event::Kind kind;  ///< which `fill` may change
  /// Fills the event from what follows the literal; false: it was not that message after all.
  bool (*fill)(std::string_view rest, Event& event);
};

/// The message that `text`, a line without head and client prefix, begins with; nothing for most lines. Pure;
/// allocates nothing.
const LogMessage* find_log_message(std::string_view text);

}  // namespace ue::openvpn
