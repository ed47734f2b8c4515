#include "agent/http_client.h"

#include "base/beast.h"

#include <boost/asio/ssl.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace ue::agent {

namespace {

constexpr std::uint32_t kLongestHeader = 4096;

tcp::endpoint to_asio(const Endpoint& e) {
  if (e.address.is_v4()) return {asio::ip::address_v4(e.address.v4_value()), e.port};
  asio::ip::address_v6::bytes_type bytes;
  std::copy(e.address.bytes().begin(), e.address.bytes().end(), bytes.begin());
  return {asio::ip::address_v6(bytes), e.port};
}

/// The server's addresses, in the order in which they are to be tried.
asio::awaitable<std::vector<tcp::endpoint>> look_up(const HostPort& server, HttpAnswer& answer) {
  if (const auto address = IpAddress::parse(server.host))
    co_return std::vector<tcp::endpoint>{to_asio({*address, server.port})};
  error_code error;
  tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto found = co_await resolver.async_resolve(server.host, std::to_string(server.port),
                                                     quietly(error));
  if (error) answer.error = "looking up " + server.host + ": " + error.message();
  std::vector<tcp::endpoint> all;
  for (const auto& entry : found) all.push_back(entry.endpoint());
  co_return all;
}

asio::awaitable<bool> connect(beast::tcp_stream& stream, const HttpPost& what, HttpAnswer& answer) {
  for (const auto& remote : co_await look_up(what.server, answer)) {
    error_code error;
    auto& socket = stream.socket();
    socket.close(error);
    socket.open(remote.protocol(), error);
    if (error) {
      answer.error = "opening a TCP socket: " + error.message();
      continue;
    }
    if (what.through) {
      const auto bound = uplink::bind_to_uplink(socket.native_handle(), *what.through);
      if (!bound) {
        answer.error = bound.error();
        continue;
      }
    }
    const auto begin = std::chrono::steady_clock::now();
    co_await stream.async_connect(remote, quietly(error));
    if (!error) {
      answer.connected = true;
      answer.refused = false;
      answer.error.clear();
      answer.connect_time = std::chrono::steady_clock::now() - begin;
      co_return true;
    }
    answer.refused = error == asio::error::connection_refused;
    answer.error = "connecting: " + error.message();
  }
  if (answer.error.empty()) answer.error = "looking up " + what.server.host + ": no address";
  co_return false;
}

template <typename Stream>
asio::awaitable<void> exchange(Stream& stream, const HttpPost& what, HttpAnswer& answer) {
  error_code error;
  auto token = quietly(error);
  http::request<http::string_body> request(http::verb::post, what.path, 11);
  request.set(http::field::host, what.server.to_string());
  request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : what.headers) request.set(name, value);
  request.body() = what.body;
  request.keep_alive(false);
  request.prepare_payload();
  co_await http::async_write(stream, request, token);
  beast::flat_buffer buffer(2 * what.longest_answer + kLongestHeader);
  http::response_parser<http::string_body> parser;
  parser.body_limit(what.longest_answer);
  parser.header_limit(kLongestHeader);
  if (!error) co_await http::async_read(stream, buffer, parser, token);
  if (error) {
    answer.error = "asking: " + error.message();
    co_return;
  }
  const auto& response = parser.get();
  answer.status = response.result_int();
  answer.body = response.body();
  if (!what.wanted_header.empty()) answer.header = std::string(response[what.wanted_header]);
}

asio::awaitable<void> secured(beast::tcp_stream plain, const HttpPost& what, HttpAnswer& answer) {
  asio::ssl::context context(asio::ssl::context::tls_client);
  context.set_default_verify_paths();
  context.set_verify_mode(asio::ssl::verify_peer);
  beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), context);
  stream.set_verify_callback(asio::ssl::host_name_verification(what.server.host));
  // Names only: an address is no server name (RFC 6066, section 3).
  if (!IpAddress::parse(what.server.host))
    SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(what.server.host.c_str()));
  error_code error;
  co_await stream.async_handshake(asio::ssl::stream_base::client,
                                  quietly(error));
  if (error) {
    answer.error = "TLS: " + error.message();
    co_return;
  }
  co_await exchange(stream, what, answer);
}

asio::awaitable<void> run(HttpPost what, std::function<void(HttpAnswer)> done) {
  HttpAnswer answer;
  try {
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    stream.expires_after(what.timeout);
    if (co_await connect(stream, what, answer)) {
      if (what.tls) {
        co_await secured(std::move(stream), what, answer);
      } else {
        co_await exchange(stream, what, answer);
        error_code error;
        stream.socket().shutdown(tcp::socket::shutdown_both, error);
      }
    }
  } catch (
      const std::exception& e) {  // out of descriptors or memory: one failed question, not the agent's end
    answer.error = e.what();
  }
  done(std::move(answer));
}

}  // namespace

void post(asio::io_context& loop, HttpPost what, std::function<void(HttpAnswer)> done) {
  asio::co_spawn(loop, run(std::move(what), std::move(done)), asio::detached);
}

}  // namespace ue::agent
