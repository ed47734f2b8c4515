#include "agent/conntrack_watch.h"

#include <cerrno>
#include <map>

#include "base/log.h"

namespace ue::agent {

namespace {

constexpr Nanos kReopen = std::chrono::seconds(60);
constexpr Nanos kSettleEvery = std::chrono::seconds(1);
constexpr Nanos kReadEvery = std::chrono::seconds(5);
constexpr Nanos kRoomWindow = std::chrono::seconds(60);  // a table that has shed flows since is full

/// Refusals that are no fault: the privilege is not granted, or the kernel has no such part.
bool is_unavailable(int code) {
  return code == EPERM || code == EACCES || code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == ENOENT;
}

}  // namespace

ConntrackWatch::~ConntrackWatch() { close(); }

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
  if (now >= read_at_) read_table(now);
  if (!monitor_ && now >= open_at_) open(now);
  if (now >= settle_at_) {
    settle_at_ = now + kSettleEvery;
    ledger_.settle(now);
    share_.observe(ledger_.counts(), now);
  }
}

void ConntrackWatch::read_table(Instant now) {
  read_at_ = now + kReadEvery;
  table_ = route::read_conntrack_table();
  if (!table_) {
    readings_.clear();
    return;
  }
  tracks_ = tracks_ || table_->entries > 0;
  readings_.push_back({now, *table_});
  while (readings_.size() > 1 && now - readings_.front().at > kRoomWindow) readings_.pop_front();
}

void ConntrackWatch::open(Instant now) {
  open_at_ = now + kReopen;
  if (!table_) return turn_off("this kernel tracks no connections here (no module nf_conntrack)", true);
  if (!route::conntrack_reports_events()) {
    return turn_off("the kernel is told to report no events: sysctl -w net.netfilter.nf_conntrack_events=1",
                    true);
  }
  int code = 0;
  // Of flows that began while nobody watched the ledger would count some twice.
  const bool first = !watched_;
  auto monitor = open_(code, [this, now, first](const route::FlowEvent& flow) {
    if (first) ledger_.apply(flow, now);
  });
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

void ConntrackWatch::close() {
  // The descriptor stays the monitor's own: released, not closed.
  if (ready_) ready_->release();
  ready_.reset();
  if (monitor_) lost_before_ += monitor_->lost();
  monitor_.reset();
}

void ConntrackWatch::wait() {
  ready_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;  // cancelled: we may be gone
                       take_events();
                       if (ready_) wait();
                     });
}

void ConntrackWatch::take_events() {
  const auto now = read_clocks().mono;
  const auto drained = monitor_->drain([&](const route::FlowEvent& event) { ledger_.apply(event, now); });
  if (!drained.lost && drained.code == 0) return;
  ledger_.lose_sight();
  if (drained.code != 0) {
    close();
    open_at_ = now + kReopen;
    turn_off(errno_error("watching the connection tracker: reading its events", drained.code).message +
                 "; it is tried again every minute",
             false);
    return;
  }
  if (overruns_++ == 0) {
    log::warn("CONNTRACK_OVERRUN",
              "more events of UDP flows than could be read: flows of this moment are counted as unfollowed "
              "(uplink_conntrack_events_lost_total counts from here on)");
  }
}

std::optional<probe::TrackerTimeouts> ConntrackWatch::timeouts() const {
  if (!table_ || !tracks_) return std::nullopt;
  const auto nanos = [](double seconds) {
    return std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(seconds));
  };
  return probe::TrackerTimeouts{nanos(table_->udp_timeout), nanos(table_->udp_stream_timeout)};
}

std::vector<route::TrackerFault> ConntrackWatch::faults(Nanos keepalive) const {
  if (!table_ || !tracks_) return {};
  return route::tracker_faults(readings_.front().table, *table_, keepalive);
}

route::Bystanders ConntrackWatch::bystanders(const std::string& uplink) const {
  const auto all = share_.lately();
  const auto found = all.find(uplink);
  return found != all.end() ? found->second : route::Bystanders{};
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
    for (const auto& [uplink, n] : ledger_.counts())
      c.flows[uplink] = {n.all.begun, n.all.unreplied, n.all.unfollowed};
    c.events_lost = lost_before_ + (monitor_ ? monitor_->lost() : 0);
  }
  snapshot.conntrack = std::move(c);
}

}  // namespace ue::agent
