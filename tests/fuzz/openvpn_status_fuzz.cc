// OpenVPN's status: a report that is accepted is whole, its words lie in the text, and what is added up from
// it never grows beyond the sessions that it has.
#include <string>

#include "openvpn/client_ledger.h"
#include "openvpn/status_report.h"
#include "require.h"

using namespace ue;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  openvpn::StatusReport report;
  if (openvpn::parse_status(text, report) != openvpn::StatusFault::none) return 0;
  require(report.role != openvpn::Role::unknown, "an accepted report is somebody's");
  require(report.role == openvpn::Role::server || report.clients.empty(), "a client has no clients");
  require(text.find("END") != text.npos, "an accepted report has its end");
  std::string buffer;
  for (const auto& client : report.clients) {
    const auto inside = [&](std::string_view part) {
      return part.empty() ||
             (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
    };
    require(inside(client.common_name) && inside(client.real_address) && inside(client.since) &&
                inside(client.client_id),
            "a client's words lie in the text");
    require(client.common_name.find('\n') == std::string_view::npos, "a name ends with its line");
    require(openvpn::plain_endpoint(client.real_address, buffer).size() <= client.real_address.size(),
            "an endpoint is no longer than what it was made of");
  }
  openvpn::ClientLedger ledger;
  std::size_t arrived = 0;
  const auto count = [&](const openvpn::StatusClient&, bool) { ++arrived; };
  ledger.apply(report, count);
  require(ledger.all().sessions == arrived && arrived + ledger.unauthenticated() <= report.clients.size(),
          "each session is new once");
  require(ledger.all().received == 0, "what was before the first report is nobody's");
  ledger.apply(report, count);
  require(ledger.all().sessions == arrived && ledger.all().received == 0,
          "the same report again changes nothing");
  return 0;
}
