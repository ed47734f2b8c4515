#include "openvpn/client_ledger.h"

namespace ue::openvpn {

void ClientLedger::apply(const StatusReport& report, const OnNew& on_new) {
  const bool first = reports_++ == 0;
  for (auto& [name, totals] : names_) totals.sessions = 0;
  all_.sessions = 0;
  unauthenticated_ = 0;
  for (const StatusClient& client : report.clients) {
    if (client.common_name.empty()) {
      ++unauthenticated_;
      continue;
    }
    // A float changes the address and not the session; only version 1 has nothing better to tell by.
    key_.assign(client.common_name.substr(0, kMaxName)).append(1, '\n').append(client.since).append(1, '\n');
    key_.append(client.client_id.empty() ? client.real_address : client.client_id);
    auto [session, is_new] = sessions_.try_emplace(key_);
    Session& before = session->second;
    if (!is_new && before.report == reports_) continue;  // the same row twice: of a rewrite half done
    if (is_new && first) before = {client.received, client.sent, 0};
    const auto grown = [](std::uint64_t now, std::uint64_t then) { return now >= then ? now - then : now; };
    const std::uint64_t in = grown(client.received, before.received);
    const std::uint64_t out = grown(client.sent, before.sent);
    for (Totals* t : {admit(names_, client.common_name), &all_}) {
      if (t == nullptr) continue;
      t->received += in;
      t->sent += out;
      ++t->sessions;
    }
    before = {client.received, client.sent, reports_};
    if (is_new) on_new(client, first);
  }
  std::erase_if(sessions_, [this](const auto& s) { return s.second.report != reports_; });
}

const ClientLedger::Totals* ClientLedger::find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace ue::openvpn
