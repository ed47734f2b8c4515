#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "uplink/bound_socket.h"

namespace ue::agent {

/// A UDP socket of an uplink on the loop: hands every datagram and every entry of the error queue to its
/// owner. Owned by a Path or a Witness; its destruction ends all calls.
class FlowSocket {
 public:
  struct Handlers {
    std::function<void(const uplink::Datagram&)> datagram;
    std::function<void(const uplink::SocketError&)> error;
  };

  FlowSocket(boost::asio::io_context& loop, uplink::UdpSocket socket, Handlers handlers);
  ~FlowSocket();
  FlowSocket(const FlowSocket&) = delete;
  FlowSocket& operator=(const FlowSocket&) = delete;

  uplink::UdpSocket& socket();

 private:
  struct State;
  static void wait(const std::shared_ptr<State>& state);
  static void drain(State& state);

  std::shared_ptr<State> state_;
};

}  // namespace ue::agent
