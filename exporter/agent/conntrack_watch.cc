#include "agent/conntrack_watch.h"

#include <cerrno>
#include <map>

#include "base/log.h"

namespace ue::agent {

namespace {

constexpr Nanos kReopen = std::chrono::seconds(60);
constexpr Nanos kSettleEvery = std::chrono::seconds(1);
constexpr Nanos kReadEvery = std::chrono::seconds(5);

/// Refusals that are no fault: the privilege is not granted, or the kernel has no such part.
bool is_unavailable(int code) {
  return code == EPERM || code == EACCES || code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == ENOENT;
}

}  // namespace

ConntrackWatch::~ConntrackWatch() {
  // The descriptor stays the monitor's own: released, not closed.
  if (ready_) ready_->release();
}

void ConntrackWatch::set_uplinks(const std::vector<config::Uplink>& uplinks,
                                 const uplink::Inventory& inventory) {
  std::map<std::string, std::vector<IpAddress>> addresses;
  for (const auto& u : uplinks) {
    auto& of = addresses[u.name];
    const auto* link = inventory.find(u.interface);
    if (link == nullptr) continue;
    for (const auto& a : link->addresses) {
      if (a.address.family() == u.family) of.push_back(a.address);
    }
  }
  ledger_.set_uplinks(addresses);
}

void ConntrackWatch::tick(Instant now) {
  if (now >= read_at_) {
    read_at_ = now + kReadEvery;
    table_ = route::read_conntrack_table();
  }
  if (!monitor_ && now >= open_at_) open(now);
  if (now >= settle_at_) {
    settle_at_ = now + kSettleEvery;
    ledger_.settle(now);
  }
}

void ConntrackWatch::open(Instant now) {
  open_at_ = now + kReopen;
  if (!table_) return turn_off("this kernel tracks no connections here (no module nf_conntrack)", true);
  if (!route::conntrack_reports_events()) {
    return turn_off("the kernel is told to report no events: sysctl -w net.netfilter.nf_conntrack_events=1",
                    true);
  }
  int code = 0;
  auto monitor = route::ConntrackMonitor::open(
      code, [this, now](const route::FlowEvent& flow) { ledger_.stand(flow, now); });
  if (!monitor) return turn_off(monitor.error(), is_unavailable(code));
  monitor_.emplace(std::move(*monitor));
  overruns_ = 0;
  fault_.clear();
  optional_ = false;
  watched_ = true;
  log::info("CONNTRACK_WATCHED", "UDP flows without an answer are counted for each uplink");
  ready_ = std::make_unique<boost::asio::posix::stream_descriptor>(loop_, monitor_->fd());
  wait();
}

void ConntrackWatch::turn_off(const std::string& reason, bool optional) {
  if (reason != fault_ && optional) log::info("CONNTRACK_OFF", "UDP flows are not counted: {}", reason);
  if (reason != fault_ && !optional) log::warn("CONNTRACK_OFF", "UDP flows are not counted: {}", reason);
  fault_ = reason;
  optional_ = optional;
}

void ConntrackWatch::wait() {
  ready_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;  // cancelled: we may be gone
                       take_events();
                       wait();
                     });
}

void ConntrackWatch::take_events() {
  const auto now = read_clocks().mono;
  if (!monitor_->drain([&](const route::FlowEvent& event) { ledger_.apply(event, now); })) return;
  ledger_.lose_sight();
  if (overruns_++ == 0) {
    log::warn("CONNTRACK_OVERRUN",
              "more events of UDP flows than could be read: flows of this moment are counted as unfollowed "
              "(uplink_conntrack_events_lost_total counts from here on)");
  }
}

void ConntrackWatch::add_to(metrics::Snapshot& snapshot) const {
  snapshot.collectors.push_back({"conntrack", fault_.empty(), fault_, optional_});
  if (!table_) return;
  metrics::Conntrack c;
  c.entries = table_->entries;
  c.limit = table_->limit;
  c.udp_timeout = table_->udp_timeout;
  c.udp_stream_timeout = table_->udp_stream_timeout;
  c.early_drops = table_->early_drops;
  c.insert_failures = table_->insert_failures;
  c.drops = table_->drops;
  if (watched_) {
    for (const auto& [uplink, n] : ledger_.counts()) c.flows[uplink] = {n.begun, n.unreplied, n.unfollowed};
    c.events_lost = monitor_ ? monitor_->lost() : 0;
  }
  snapshot.conntrack = std::move(c);
}

}  // namespace ue::agent
