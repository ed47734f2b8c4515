#pragma once
#include <memory>
#include <optional>
#include <string>

#include "agent/flow_socket.h"
#include "agent/resolver.h"
#include "stun/binding.h"

namespace ue::agent {

/// An independent STUN server asked through one uplink: its answer proves that the uplink works when a
/// reflector is silent. Silence proves nothing. Owned by an UplinkRunner, on the loop's thread; it sends only
/// when asked to.
class Witness {
 public:
  Witness(boost::asio::io_context& loop, const HostPort& server, Family family);

  void bind(const uplink::Binding& binding);
  void unbind() { socket_.reset(); }
  /// Sends one Binding Request (RFC 8489), at most one in two seconds.
  void ask(Instant now);

  const std::string& name() const { return name_; }
  const std::optional<Endpoint>& endpoint() const { return endpoint_; }
  std::optional<Instant> asked() const { return asked_; }
  /// When the newest request that was answered had been sent.
  std::optional<Instant> answered() const { return answered_; }

 private:
  boost::asio::io_context& loop_;
  std::string name_;
  std::optional<Endpoint> endpoint_;
  std::unique_ptr<FlowSocket> socket_;
  stun::TransactionId transaction_{};
  std::optional<Instant> asked_;
  std::optional<Instant> answered_;
  std::unique_ptr<Resolver> resolver_;
};

}  // namespace ue::agent
