#include "agent/witness.h"

#include "base/log.h"

namespace ue::agent {

namespace {

constexpr Nanos kSpacing = std::chrono::seconds(2);

}  // namespace

Witness::Witness(boost::asio::io_context& loop, const HostPort& server, Family family)
    : loop_(loop), name_(server.to_string()) {
  resolver_ = std::make_unique<Resolver>(loop, server, family, [this](const Endpoint& e) { endpoint_ = e; });
  resolver_->start();
}

void Witness::bind(const uplink::Binding& binding) {
  auto socket = uplink::UdpSocket::open(binding);
  if (!socket) {
    log::debug("WITNESS_SOCKET", "{}: {}", name_, socket.error());
    socket_.reset();
    return;
  }
  FlowSocket::Handlers handlers;
  handlers.datagram = [this](const uplink::Datagram& d) {
    if (!endpoint_ || d.source != *endpoint_ || !asked_) return;
    const auto response = stun::parse_binding_response(d.bytes, transaction_);
    if (response && response->mapped) answered_ = asked_;
  };
  handlers.error = [](const uplink::SocketError&) {};
  socket_ = std::make_unique<FlowSocket>(loop_, std::move(*socket), std::move(handlers));
}

void Witness::ask(Instant now) {
  if (!socket_ || !endpoint_ || (asked_ && now - *asked_ < kSpacing)) return;
  transaction_ = stun::random_transaction_id();
  asked_ = now;
  const auto sent = socket_->socket().send(stun::encode_binding_request(transaction_), *endpoint_);
  if (!sent) log::debug("WITNESS_NOT_ASKED", "{}: {}", name_, sent.error());
}

}  // namespace ue::agent
