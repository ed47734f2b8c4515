#include "agent/flow_socket.h"

namespace ue::agent {

namespace {

constexpr int kMostPerWakeUp = 64;  // a flood on one socket must not starve the others

}  // namespace

struct FlowSocket::State {
  State(boost::asio::io_context& loop, uplink::UdpSocket s, Handlers h)
      : socket(std::move(s)), descriptor(loop, socket.fd()), handlers(std::move(h)) {}
  ~State() { descriptor.release(); }  // the socket closes its own descriptor

  uplink::UdpSocket socket;
  boost::asio::posix::stream_descriptor descriptor;
  Handlers handlers;
  bool alive = true;
};

FlowSocket::FlowSocket(boost::asio::io_context& loop, uplink::UdpSocket socket, Handlers handlers)
    : state_(std::make_shared<State>(loop, std::move(socket), std::move(handlers))) {
  wait(state_);
}

FlowSocket::~FlowSocket() {
  state_->alive = false;
  boost::system::error_code ignored;
  state_->descriptor.cancel(ignored);
}

uplink::UdpSocket& FlowSocket::socket() { return state_->socket; }

void FlowSocket::wait(const std::shared_ptr<State>& state) {
  // A pending error queue (ICMP, transmit timestamps) wakes a wait for reading too.
  state->descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [state](const boost::system::error_code& error) {
                                 if (error || !state->alive) return;
                                 drain(*state);
                                 if (state->alive) wait(state);
                               });
}

void FlowSocket::drain(State& state) {
  for (int i = 0; i < kMostPerWakeUp && state.alive; ++i) {
    if (const auto error = state.socket.receive_error()) {
      state.handlers.error(*error);
      continue;
    }
    const auto datagram = state.socket.receive();
    if (!datagram) return;
    state.handlers.datagram(*datagram);
  }
}

}  // namespace ue::agent
