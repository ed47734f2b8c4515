#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "base/address.h"
#include "base/time.h"
#include "uplink/binding.h"

namespace ue::agent {

/// How one HTTP exchange on the query channel ended. It says nothing about authenticity: the caller verifies.
struct QueryResult {
  bool connected = false;
  bool refused = false;  ///< TCP reset: somebody is there and does not listen
  std::string error;     ///< empty where `body` is an answer with status 200
  std::string body;
  std::string authentication;  ///< the header's value
  Nanos connect_time{};
};

/// POSTs `body` to the reflector's query channel from a socket bound to `through`; `done` is called once, on
/// the loop, after at most `timeout`.
void post_query(boost::asio::io_context& loop, const uplink::Binding& through, const Endpoint& reflector,
                const std::string& body, const std::string& authentication, Nanos timeout,
                std::function<void(QueryResult)> done);

}  // namespace ue::agent
