#include "agent/resolver.h"

#include <algorithm>
#include <vector>

#include "base/log.h"

namespace ue::agent {

namespace {

using boost::asio::ip::udp;

constexpr Nanos kRetryLookup = std::chrono::seconds(10);

}  // namespace

struct Resolver::State {
  State(boost::asio::io_context& loop, HostPort n, Family f, std::function<void(const Endpoint&)> c,
        Nanos again)
      : name(std::move(n)), family(f), changed(std::move(c)), refresh(again), resolver(loop), timer(loop) {}

  HostPort name;
  Family family;
  std::function<void(const Endpoint&)> changed;
  Nanos refresh;
  udp::resolver resolver;
  boost::asio::steady_timer timer;
  std::optional<Endpoint> known;
  bool alive = true;
  bool complained = false;

  void take(const std::vector<Endpoint>& found) {
    if (known && std::find(found.begin(), found.end(), *known) != found.end()) return;
    known = found.front();
    changed(*known);
  }
};

Resolver::Resolver(boost::asio::io_context& loop, HostPort name, Family family,
                   std::function<void(const Endpoint&)> changed, Nanos refresh)
    : state_(std::make_shared<State>(loop, std::move(name), family, std::move(changed), refresh)) {}

Resolver::~Resolver() {
  state_->alive = false;
  state_->resolver.cancel();
  state_->timer.cancel();
}

void Resolver::start() {
  const auto& name = state_->name;
  if (const auto address = IpAddress::parse(name.host)) {
    if (address->family() == state_->family) state_->take({Endpoint{*address, name.port}});
    return;
  }
  resolve(state_);
}

void Resolver::resolve(const std::shared_ptr<State>& state) {
  const auto protocol = state->family == Family::ipv4 ? udp::v4() : udp::v6();
  state->resolver.async_resolve(
      protocol, state->name.host, std::to_string(state->name.port),
      [state](const boost::system::error_code& error, const udp::resolver::results_type& results) {
        if (!state->alive) return;
        std::vector<Endpoint> found;
        for (const auto& r : results) found.push_back(Endpoint::from_sockaddr(r.endpoint().data()));
        if (!found.empty()) {
          state->complained = false;
          state->take(found);
        } else if (!state->complained) {
          state->complained = true;
          log::warn("NAME_NOT_RESOLVED", "{} has no {} address now ({}); {}", state->name.host,
                    state->family == Family::ipv4 ? "IPv4" : "IPv6", error ? error.message() : "empty answer",
                    state->known ? "the last good one stays in use" : "it is asked again every 10 s");
        }
        state->timer.expires_after(state->known ? state->refresh : kRetryLookup);
        state->timer.async_wait([state](const boost::system::error_code& cancelled) {
          if (!cancelled && state->alive) resolve(state);
        });
      });
}

}  // namespace ue::agent
