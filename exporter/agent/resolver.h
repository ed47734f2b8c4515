#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "base/address.h"
#include "base/time.h"

namespace ue::agent {

/// Keeps the address of one name for one family. It resolves at once and every `refresh` (every 10 s until
/// the first success), off the loop's thread; a failure changes nothing, and an address that is still among
/// the answers stays. Literal addresses never ask anybody. Owned by who needs the address.
class Resolver {
 public:
  /// `changed` is called on the loop with every new address.
  Resolver(boost::asio::io_context& loop, HostPort name, Family family,
           std::function<void(const Endpoint&)> changed, Nanos refresh = std::chrono::minutes(5));
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void start();

 private:
  struct State;
  static void resolve(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace ue::agent
