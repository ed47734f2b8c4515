#include "reflector/query_server.h"

#include "base/beast.h"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>

#include "base/log.h"
#include "reflector/udp_port.h"

namespace ue::reflector {

namespace {

constexpr std::uint32_t kMaxHeader = 4096;
constexpr std::size_t kMaxDrain = 64 * 1024;

/// Keeps the connections alive as long as a place among them.
struct Seat {
  std::shared_ptr<QueryServer::Connections> all;
  std::unique_ptr<Connections::Place> place;
};

std::string_view view(beast::string_view s) { return {s.data(), s.size()}; }

QueryReply decide(QueryDesk& desk, const http::request<http::string_body>& request, const IpAddress& peer) {
  if (view(request.target()) != stamp::kQueryPath)
    return desk.refuse(404, QueryOutcome::not_found, "no such page");
  if (request.method() != http::verb::post) return desk.refuse(405, QueryOutcome::not_found, "POST only");
  const auto header =
      view(request[beast::string_view(stamp::kQueryHeader.data(), stamp::kQueryHeader.size())]);
  return desk.answer(read_clocks(), request.body(), header, peer);
}

/// The reply for a request that could not be read to its end; nothing where nobody waits for one.
std::optional<QueryReply> explain(QueryDesk& desk, error_code error) {
  if (error == http::error::body_limit) return desk.refuse(413, QueryOutcome::too_large, "body too long");
  if (error == http::error::header_limit) return desk.refuse(431, QueryOutcome::too_large, "header too long");
  if (error == beast::error::timeout || error == http::error::end_of_stream || error == asio::error::eof ||
      error == http::error::partial_message || error.category() == asio::error::get_system_category()) {
    (void)desk.refuse(408, QueryOutcome::timed_out, "");
    return std::nullopt;
  }
  return desk.refuse(400, QueryOutcome::bad_request, "not HTTP");
}

asio::awaitable<void> converse(beast::tcp_stream stream, std::shared_ptr<QueryDesk> desk, IpAddress peer,
                               Seat seat) {
  seat.place->on_loss([&stream] { stream.close(); });
  stream.expires_after(QueryServer::kDeadline);  // for everything below together
  beast::flat_buffer buffer(kMaxHeader + stamp::kMaxBody);
  http::request_parser<http::string_body> parser;
  parser.header_limit(kMaxHeader);
  parser.body_limit(stamp::kMaxBody);
  error_code error;
  co_await http::async_read(stream, buffer, parser, quietly(error));
  if (seat.place->lost()) {
    (void)desk->refuse(503, QueryOutcome::refused, "");
    co_return;
  }
  const auto reply = error ? explain(*desk, error) : decide(*desk, parser.get(), peer);
  if (!reply) co_return;

  http::response<http::string_body> response(static_cast<http::status>(reply->status), 11);
  response.set(http::field::content_type, "application/json");
  response.set(http::field::cache_control, "no-store");
  if (reply->status == 405) response.set(http::field::allow, "POST");
  if (!reply->authentication.empty()) {
    response.set(beast::string_view(stamp::kQueryHeader.data(), stamp::kQueryHeader.size()),
                 reply->authentication);
  }
  response.keep_alive(false);
  response.body() = reply->body;
  response.prepare_payload();
  co_await http::async_write(stream, response, quietly(error));
  // What the peer still sends is read and thrown away: closing over it would reset the connection and could
  // take the answer with it.
  stream.socket().shutdown(tcp::socket::shutdown_send, error);
  std::array<char, 4096> waste{};
  for (std::size_t drained = 0; !error && drained < kMaxDrain;) {
    drained += co_await stream.async_read_some(asio::buffer(waste), quietly(error));
  }
}

IpAddress peer_of(const tcp::socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? IpAddress() : Endpoint::from_sockaddr(endpoint.data()).address;
}

asio::awaitable<void> accept_all(std::shared_ptr<tcp::acceptor> acceptor, std::shared_ptr<QueryDesk> desk,
                                 std::shared_ptr<QueryServer::Connections> connections) {
  asio::steady_timer pause(acceptor->get_executor());
  while (acceptor->is_open()) {
    error_code error;
    auto socket = co_await acceptor->async_accept(quietly(error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, most likely: the connection stays in the kernel's queue, so asking at once would
      // spin.
      log::warn("REFLECTOR_ACCEPT_FAILED", "accepting a query: {}; trying again in 200ms", error.message());
      pause.expires_after(std::chrono::milliseconds(200));
      co_await pause.async_wait(quietly(error));
      continue;
    }
    const auto peer = peer_of(socket);
    Seat seat{connections, connections->enter(peer)};
    asio::co_spawn(acceptor->get_executor(),
                   converse(beast::tcp_stream(std::move(socket)), desk, peer, std::move(seat)),
                   asio::detached);
  }
}

}  // namespace

Result<std::unique_ptr<QueryServer>> QueryServer::open(asio::io_context& loop, const Endpoint& listen,
                                                       std::shared_ptr<QueryDesk> desk,
                                                       std::shared_ptr<Connections> connections) {
  const std::string what = "cannot listen on tcp " + listen.to_string();
  const bool v6 = !listen.address.is_v4();
  sockaddr_storage address{};
  const auto size = listen.to_sockaddr(address);
  tcp::endpoint endpoint;
  std::memcpy(endpoint.data(), &address, size);
  endpoint.resize(size);

  auto acceptor = std::make_shared<tcp::acceptor>(loop);
  error_code error;
  acceptor->open(v6 ? tcp::v6() : tcp::v4(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && v6) acceptor->set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error) return listen_error(what, error.value());
  const auto local = Endpoint::from_sockaddr(acceptor->local_endpoint().data());
  asio::co_spawn(loop, accept_all(acceptor, std::move(desk), std::move(connections)), asio::detached);
  return std::unique_ptr<QueryServer>(new QueryServer(std::move(acceptor), local));
}

QueryServer::QueryServer(std::shared_ptr<Acceptor> acceptor, const Endpoint& local)
    : acceptor_(std::move(acceptor)), local_(local) {}

QueryServer::~QueryServer() {
  error_code ignored;
  acceptor_->close(ignored);
}

}  // namespace ue::reflector
