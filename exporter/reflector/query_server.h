#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>

#include "base/result.h"
#include "reflector/connections.h"
#include "reflector/query_desk.h"

namespace ue::reflector {

/// HTTP/1.1 in front of the query desk: TCP on one of the reflector's own ports, one request per connection,
/// the whole of it within kDeadline. Owned by Service, lives on its loop's thread. Destroying it ends the
/// listening; conversations under way end by themselves or with the loop.
class QueryServer {
 public:
  static constexpr std::chrono::seconds kDeadline{5};

  using Connections = reflector::Connections;

  /// Listens and serves from here on; errors are those of listen_error(). An IPv6 socket takes IPv6 only.
  static Result<std::unique_ptr<QueryServer>> open(boost::asio::io_context& loop, const Endpoint& listen,
                                                   std::shared_ptr<QueryDesk> desk,
                                                   std::shared_ptr<Connections> connections);
  ~QueryServer();
  QueryServer(const QueryServer&) = delete;
  QueryServer& operator=(const QueryServer&) = delete;

  const Endpoint& local() const { return local_; }  ///< with the kernel's choice where port 0 was asked for

 private:
  using Acceptor = boost::asio::ip::tcp::acceptor;
  QueryServer(std::shared_ptr<Acceptor> acceptor, const Endpoint& local);

  std::shared_ptr<Acceptor> acceptor_;  ///< shared with the coroutine that accepts
  const Endpoint local_;
};

}  // namespace ue::reflector
