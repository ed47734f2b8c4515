#include "agent/stun_client.h"

#include <utility>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <memory>

#include "stun/binding.h"

namespace ue::agent {

namespace {

using boost::asio::ip::tcp;
using Failure = boost::system::error_code;

constexpr std::size_t kLargestAnswer = 1500;

/// Lives in its own handlers until it is done.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(boost::asio::io_context& loop, std::function<void(QueryResult)> done)
      : socket_(loop), timer_(loop), done_(std::move(done)) {}

  void start(const uplink::Binding& through, const Endpoint& server, Nanos timeout) {
    sockaddr_storage address{};
    const auto size = server.to_sockaddr(address);
    tcp::endpoint remote;
    remote.resize(size);
    std::memcpy(remote.data(), &address, size);
    Failure failure;
    socket_.open(remote.protocol(), failure);
    if (failure) return finish("opening a TCP socket: " + failure.message());
    if (const auto bound = uplink::bind_to_uplink(socket_.native_handle(), through); !bound)
      return finish(bound.error());
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](const Failure& cancelled) {
      if (!cancelled) self->finish("no answer over TCP in time");
    });
    begin_ = std::chrono::steady_clock::now();
    socket_.async_connect(remote, [self = shared_from_this()](const Failure& f) { self->connected(f); });
  }

 private:
  void connected(const Failure& failure) {
    if (failure) return finish("connecting: " + failure.message());
    result_.connected = true;
    result_.connect_time = std::chrono::steady_clock::now() - begin_;
    answer_ = stun::encode_binding_request(id_);
    boost::asio::async_write(socket_, boost::asio::buffer(answer_),
                             [self = shared_from_this()](const Failure& f, std::size_t) { self->asked(f); });
  }

  void asked(const Failure& failure) {
    if (failure) return finish("asking: " + failure.message());
    answer_.assign(stun::kHeaderSize, 0);
    boost::asio::async_read(socket_, boost::asio::buffer(answer_),
                            [self = shared_from_this()](const Failure& f, std::size_t) { self->begun(f); });
  }

  void begun(const Failure& failure) {
    if (failure) return finish("asking: " + failure.message());
    const std::size_t more = get_u16(&answer_[2]);
    if (more > kLargestAnswer) return finish("the answer over TCP makes no sense");
    answer_.resize(stun::kHeaderSize + more);
    boost::asio::async_read(socket_, boost::asio::buffer(answer_) + stun::kHeaderSize,
                            [self = shared_from_this()](const Failure& f, std::size_t) { self->read(f); });
  }

  void read(const Failure& failure) {
    if (failure) return finish("asking: " + failure.message());
    finish(stun::parse_binding_response(answer_, id_) ? "" : "the answer over TCP is none to this question");
  }

  void finish(const std::string& error) {
    if (!done_) return;
    result_.error = error;
    timer_.cancel();
    Failure ignored;
    socket_.close(ignored);
    std::exchange(done_, nullptr)(std::move(result_));
  }

  tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::function<void(QueryResult)> done_;
  QueryResult result_;
  stun::TransactionId id_ = stun::random_transaction_id();
  Bytes answer_;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace

void ask_stun_over_tcp(boost::asio::io_context& loop, const uplink::Binding& through, const Endpoint& server,
                       Nanos timeout, std::function<void(QueryResult)> done) {
  std::make_shared<Exchange>(loop, std::move(done))->start(through, server, timeout);
}

}  // namespace ue::agent
