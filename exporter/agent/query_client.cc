#include "agent/query_client.h"

#include <utility>

// <utility> must come before Boost 1.74's Asio with GCC 12.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "stamp/query.h"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 at -O1 inlines one half of Asio's own new and delete of coroutine frames and then misses the other.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace ue::agent {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

tcp::endpoint to_asio(const Endpoint& e) {
  if (e.address.is_v4()) return {asio::ip::address_v4(e.address.v4_value()), e.port};
  asio::ip::address_v6::bytes_type bytes;
  std::copy(e.address.bytes().begin(), e.address.bytes().end(), bytes.begin());
  return {asio::ip::address_v6(bytes), e.port};
}

struct Question {
  uplink::Binding through;
  Endpoint reflector;
  std::string body;
  std::string authentication;
  Nanos timeout;
};

asio::awaitable<void> exchange(const Question& q, QueryResult& result) {
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const auto begin = std::chrono::steady_clock::now();

  tcp::socket socket(co_await asio::this_coro::executor);
  const auto remote = to_asio(q.reflector);
  socket.open(remote.protocol(), error);
  if (error) {
    result.error = "opening a TCP socket: " + error.message();
    co_return;
  }
  if (const auto bound = uplink::bind_to_uplink(socket.native_handle(), q.through); !bound) {
    result.error = bound.error();
    co_return;
  }
  beast::tcp_stream stream(std::move(socket));
  stream.expires_after(q.timeout);
  co_await stream.async_connect(remote, token);
  if (error) {
    result.refused = error == asio::error::connection_refused;
    result.error = "connecting: " + error.message();
    co_return;
  }
  result.connected = true;
  result.connect_time = std::chrono::steady_clock::now() - begin;

  http::request<http::string_body> request(http::verb::post, std::string(stamp::kQueryPath), 11);
  request.set(http::field::host, q.reflector.to_string());
  request.set(http::field::content_type, "application/json");
  if (!q.authentication.empty()) request.set(std::string(stamp::kQueryHeader), q.authentication);
  request.body() = q.body;
  request.keep_alive(false);
  request.prepare_payload();
  co_await http::async_write(stream, request, token);
  beast::flat_buffer buffer(2 * stamp::kMaxBody);
  http::response_parser<http::string_body> parser;
  parser.body_limit(stamp::kMaxBody);
  parser.header_limit(4096);
  if (!error) co_await http::async_read(stream, buffer, parser, token);
  if (error) {
    result.error = "asking: " + error.message();
    co_return;
  }
  const auto& response = parser.get();
  if (response.result() != http::status::ok) {
    result.error = "the query was answered with HTTP status " + std::to_string(response.result_int());
    co_return;
  }
  result.body = response.body();
  result.authentication = std::string(response[std::string(stamp::kQueryHeader)]);
  stream.socket().shutdown(tcp::socket::shutdown_both, error);
}

asio::awaitable<void> ask(Question question, std::function<void(QueryResult)> done) {
  QueryResult result;
  try {
    co_await exchange(question, result);
  } catch (
      const std::exception& e) {  // out of descriptors or memory: one failed question, not the agent's end
    result.error = e.what();
  }
  done(std::move(result));
}

}  // namespace

void post_query(asio::io_context& loop, const uplink::Binding& through, const Endpoint& reflector,
                const std::string& body, const std::string& authentication, Nanos timeout,
                std::function<void(QueryResult)> done) {
  asio::co_spawn(loop, ask(Question{through, reflector, body, authentication, timeout}, std::move(done)),
                 asio::detached);
}

}  // namespace ue::agent
