#pragma once
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "uplink/binding.h"

namespace ue::agent {

/// One POST.
struct HttpPost {
  HostPort server;   ///< a name is resolved off the loop's thread
  bool tls = false;  ///< the certificate must be of `server`, by the system's authorities
  std::optional<uplink::Binding>
      through;  ///< the uplink that it must leave through; else the kernel's choice
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  ///< JSON
  std::string wanted_header;
  std::size_t longest_answer = 64 * 1024;  ///< octets
  Nanos timeout = std::chrono::seconds(10);
};

/// How it ended. It says nothing about authenticity: the caller verifies.
struct HttpAnswer {
  bool connected = false;
  bool refused = false;  ///< TCP reset: somebody is there and does not listen
  std::string error;     ///< empty where there was an answer, whatever its status
  unsigned status = 0;
  std::string body;
  std::string header;  ///< the value of `wanted_header`
  Nanos connect_time{};
};

/// `done` is called once, on the loop. HTTP by Boost.Beast, which is kept to this one translation unit.
void post(boost::asio::io_context& loop, HttpPost what, std::function<void(HttpAnswer)> done);

}  // namespace ue::agent
