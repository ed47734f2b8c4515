#include "agent/route_watch.h"

#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/log.h"

namespace ue::agent {

namespace {

/// A change is seen within this; a route that flaps costs no more than a look-up in this time.
constexpr auto kPause = std::chrono::milliseconds(50);

/// A tunnel asks for its server's name again whenever it restarts.
constexpr Nanos kRefresh = std::chrono::minutes(1);

std::string interface_name(int index) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr ? name.data() : "";
}

std::optional<IpAddress> address_of(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  return colon == std::string::npos ? std::nullopt : IpAddress::parse(endpoint.substr(0, colon));
}

/// What a look-up can say of the tables; anything else means that it could not be made.
bool is_answer(int code) {
  return code == 0 || code == ENETUNREACH || code == EHOSTUNREACH || code == EINVAL || code == EACCES;
}

}  // namespace

RouteWatch::RouteWatch(boost::asio::io_context& loop, Hooks hooks)
    : loop_(loop), hooks_(std::move(hooks)), timer_(loop) {}

RouteWatch::~RouteWatch() { timer_.cancel(); }

void RouteWatch::apply(const std::vector<config::Route>& routes, const std::vector<std::string>& tunnels) {
  auto before = std::move(entries_);
  entries_.clear();
  const auto keep = [&](const config::Route& route, bool of_tunnel) {
    const auto old = std::find_if(before.begin(), before.end(), [&](const auto& entry) {
      return entry && entry->route == route && entry->of_tunnel == of_tunnel;
    });
    if (old != before.end()) {
      entries_.push_back(std::move(*old));
      return;
    }
    auto entry = std::make_unique<Entry>();
    entry->route = route;
    entry->of_tunnel = of_tunnel;
    if (const auto target = route::Target::parse(route.destination)) entry->asked = target->sample();
    entries_.push_back(std::move(entry));
  };
  for (const auto& route : routes) keep(route, false);
  for (const auto& tunnel : tunnels) {
    config::Route remote;
    remote.destination = "openvpn:" + tunnel;
    keep(remote, true);
  }
}

void RouteWatch::set_uplinks(std::vector<config::Uplink> uplinks) {
  uplinks_ = std::move(uplinks);
  for (const auto& entry : entries_) {
    if (!entry->of_tunnel && !route::Target::parse(entry->route.destination)) resolve(*entry);
  }
  look_up_all();
}

/// A name is resolved in the family of the uplink that it must leave through.
void RouteWatch::resolve(Entry& entry) {
  const auto found = std::find_if(uplinks_.begin(), uplinks_.end(),
                                  [&](const auto& u) { return u.name == entry.route.uplink; });
  const auto family = found != uplinks_.end() ? found->family : entry.family.value_or(Family::ipv4);
  if (entry.family == family) return;
  entry.family = family;
  entry.asked.reset();
  entry.now.reset();
  // The entry owns its resolver, so it outlives every answer.
  entry.resolver = std::make_unique<Resolver>(
      loop_, HostPort{entry.route.destination, 1}, family,
      [this, &entry](const Endpoint& endpoint) {
        entry.asked = endpoint.address;
        look_up_all();
      },
      kRefresh);
  entry.resolver->start();
}

void RouteWatch::set_remote(const std::string& tunnel, const std::string& endpoint) {
  for (const auto& entry : entries_) {
    if (!entry->of_tunnel || entry->route.destination != "openvpn:" + tunnel) continue;
    if (entry->endpoint == endpoint) return;
    entry->endpoint = endpoint;
    const auto address = address_of(endpoint);
    if (entry->asked == address) return;
    entry->asked = address;
    if (!address) entry->now.reset();
    look_up_all();
    return;
  }
}

void RouteWatch::look_soon(bool rules_changed) {
  if (rules_changed) rules_.reset();
  if (scheduled_ || entries_.empty()) return;
  const auto now = boost::asio::steady_timer::clock_type::now();
  if (now >= free_at_) return look_up_all();
  scheduled_ = true;
  timer_.expires_at(free_at_);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& cancelled) {
    if (cancelled || alive.expired()) return;
    scheduled_ = false;
    look_up_all();
  });
}

void RouteWatch::look_up_all() {
  free_at_ = boost::asio::steady_timer::clock_type::now() + kPause;
  std::vector<IpAddress> watched;
  for (const auto& entry : entries_) {
    if (entry->asked) watched.push_back(*entry->asked);
  }
  // First the subscription, then the look: a change in between is told of.
  if (watched != watched_) hooks_.watch(watched_ = watched);
  if (watched.empty()) return fail("");
  if (!socket_) {
    auto socket = uplink::NetlinkSocket::open();
    if (!socket) return fail(socket.error());
    socket_.emplace(std::move(*socket));
  }
  if (!rules_) {
    auto rules = route::read_rules(*socket_);
    if (!rules) return fail(rules.error());
    rules_ = std::move(*rules);
  }
  fail("");
  bool changed = false;
  bool broken = false;
  for (const auto& entry : entries_) {
    if (entry->asked && !broken) changed = look_up(*entry, broken) || changed;
  }
  if (broken) socket_.reset();  // a late answer would be taken for that to the next question
  if (changed) hooks_.changed();
}

bool RouteWatch::look_up(Entry& entry, bool& broken) {
  const route::Watched watched{
      entry.route.destination, entry.route.uplink, {*entry.asked, entry.route.fwmark, entry.route.source}};
  auto answer = route::look_up(*socket_, watched.query);
  if (!is_answer(answer.code)) {
    fail(errno_error("asking the kernel for a route", answer.code).message);
    broken = true;
    return false;
  }
  const auto rule = route::deciding_rule(*socket_, *rules_, watched.query, answer);
  return take(entry, route::judge(watched, uplinks_, answer, rule, interface_name));
}

bool RouteWatch::take(Entry& entry, route::Judgement found) {
  if (entry.now == found) return false;
  const bool counts = entry.now && !entry.now->same_way(found);
  if (counts) ++entry.changes;
  if (entry.of_tunnel || found.match) {
    log::info(entry.of_tunnel ? "TUNNEL_WAY" : "ROUTE_MATCHES", "{}", found.reason);
  } else {
    log::warn("ROUTE_MISMATCH", "{}", found.reason);
  }
  entry.now = std::move(found);
  return true;
}

void RouteWatch::fail(const std::string& fault) {
  if (!fault.empty() && fault != fault_) {
    log::warn("ROUTES_NOT_WATCHED", "the destinations of routes: are not watched: {}", fault);
  }
  fault_ = fault;
}

void RouteWatch::add_to(metrics::Snapshot& snapshot) const {
  for (const auto& entry : entries_) {
    metrics::Route out;
    out.destination = entry->route.destination;
    out.expected = entry->route.uplink;
    out.changes = entry->changes;
    if (entry->now) {
      if (!entry->of_tunnel) out.match = entry->now->match;
      out.uplink = entry->now->uplink;
      out.interface = entry->now->interface;
      out.gateway = entry->now->gateway;
      out.table = entry->now->table;
      out.reason = entry->now->reason;
    }
    snapshot.routes.push_back(std::move(out));
  }
  if (!entries_.empty()) snapshot.collectors.push_back({"routes", fault_.empty(), fault_});
}

}  // namespace ue::agent
