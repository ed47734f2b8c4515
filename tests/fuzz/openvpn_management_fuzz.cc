// OpenVPN's management socket: whatever comes out of it, only the fixed questions go in, one at a time, and
// how it was cut into packets changes nothing.
#include <algorithm>
#include <string>
#include <vector>

#include "openvpn/management_session.h"
#include "require.h"

using namespace ue;
using fuzz::require;

namespace {

constexpr std::string_view kPassword = "correct horse";

std::vector<std::string> converse(std::string_view bytes, std::size_t chunk) {
  openvpn::ManagementSession session{std::string(kPassword)};
  std::vector<std::string> told;
  const openvpn::ManagementSession::Sink sink{
      [&](const openvpn::Event& e, openvpn::Channel channel, bool history) {
        require(!openvpn::name(e.reason).empty() && !openvpn::name(e.state).empty(), "labels are known ones");
        require(e.source == openvpn::Source::management, "it says where it comes from");
        told.push_back(std::to_string(static_cast<int>(e.kind)) + std::string(e.peer) +
                       std::string(e.endpoint) + std::to_string(static_cast<int>(channel)) +
                       (history ? "h" : ""));
      },
      [&](std::uint64_t in, std::uint64_t out) {
        told.push_back(std::to_string(in) + "/" + std::to_string(out));
      },
      [&](const openvpn::StatusReport& r) { told.push_back(std::to_string(r.clients.size())); }};
  int passwords = 0;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, chunk);
    bytes.remove_prefix(part.size());
    session.feed(part, sink);
    for (int i = 0; i < 3; ++i) {
      std::string command = session.next_command(Instant{});
      if (command.empty()) break;
      require(command.ends_with("\n"), "a command is a line");
      command.pop_back();
      if (command == kPassword) {
        require(++passwords == 1, "the password is sent once");
        continue;
      }
      const auto& known = openvpn::kManagementCommands;
      require(std::find(std::begin(known), std::end(known), command) != std::end(known),
              "nothing but the fixed questions is ever sent");
      require(session.next_command(Instant{}).empty(), "one question at a time");
    }
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  converse(bytes, size + 1);
  if (size > 0) converse(bytes, 1 + data[0] % 64);
  return 0;
}
