// OpenVPN's log: whatever a daemon, its peer or a broken disk writes, an event's words lie inside its line,
// and how the file was read does not change what its lines are.
#include <string>
#include <vector>

#include "openvpn/client_prefix.h"
#include "openvpn/line_buffer.h"
#include "openvpn/log_head.h"
#include "openvpn/log_line.h"
#include "require.h"

using namespace ue;
using fuzz::require;

namespace {

constexpr std::size_t kMaxLine = 1024;

void inside(std::string_view line, std::string_view part, const char* what) {
  const auto begin = reinterpret_cast<std::uintptr_t>(line.data());
  const auto at = reinterpret_cast<std::uintptr_t>(part.data());
  require(part.empty() || (at >= begin && at + part.size() <= begin + line.size()), what);
}

void one_line(std::string_view line, const openvpn::LogClock& clock) {
  const auto head = openvpn::split_head(line);
  inside(line, head.text, "the message lies in its line");
  inside(line, head.stamp, "the time lies in its line");
  require(head.form != openvpn::LogHead::Form::none || !head.time(), "without a head there is no time");
  const auto prefix = openvpn::find_client_prefix(head.text);
  require(prefix.size <= head.text.size(), "a prefix is part of its line");
  if (prefix.size > 0) {
    inside(line, prefix.peer(head.text), "the peer lies in its line");
    inside(line, prefix.endpoint(head.text), "the endpoint lies in its line");
    require(!prefix.endpoint(head.text).empty(), "nobody has a prefix without an address");
  }
  const auto event = openvpn::parse_log_line(line, clock);
  if (!event) return;
  inside(line, event->peer, "the event's peer lies in its line");
  inside(line, event->endpoint, "the event's endpoint lies in its line");
  require(!openvpn::name(event->reason).empty() && !openvpn::name(event->state).empty(),
          "its labels are known ones");
}

std::vector<std::string> lines_of(std::string_view file, std::size_t chunk) {
  std::vector<std::string> lines;
  openvpn::LineBuffer buffer(kMaxLine);
  while (!file.empty()) {
    const auto part = file.substr(0, chunk);
    file.remove_prefix(part.size());
    buffer.feed(part, [&](std::string_view line, std::size_t end) {
      require(end <= part.size(), "a line ends inside the chunk");
      require(line.size() <= kMaxLine, "no line is longer than the limit");
      lines.emplace_back(line);
    });
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto clock = openvpn::LogClock::assume_utc();
  one_line(file, clock);
  const auto lines = lines_of(file, file.size() + 1);
  for (const auto& line : lines) one_line(line, clock);
  if (size > 0) require(lines_of(file, 1 + data[0] % 64) == lines, "the size of the chunks changes no line");
  return 0;
}
