#include "agent/kernel_watch.h"

#include <utility>

#include "base/log.h"

namespace ue::agent {

namespace {

constexpr Nanos kSettle = std::chrono::milliseconds(200);  // a re-dial is a dozen events, which are read once

}  // namespace

void KernelWatch::start(Hooks hooks) {
  hooks_ = std::move(hooks);
  auto monitor = uplink::Monitor::open();
  if (!monitor) {
    fault_ = monitor.error();
    log::warn("KERNEL_NOT_WATCHED", "changes of links and addresses go unnoticed until a reload: {}",
              monitor.error());
    return;
  }
  monitor_.emplace(std::move(*monitor));
  // The descriptor stays the monitor's own; it is released, not closed, in stop().
  ready_ = std::make_unique<boost::asio::posix::stream_descriptor>(loop_, monitor_->fd());
  wait();
}

void KernelWatch::wait() {
  ready_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;
                       drain();
                       wait();
                     });
}

void KernelWatch::drain() {
  const auto changes = monitor_->drain();
  if (changes.ways) hooks_.ways(changes.rules);
  if (changes.neighbours) hooks_.neighbours();
  if (changes.tunnels) hooks_.tunnels();
  if (changes.inventory && !changed_) {
    changed_ = true;
    read_at_ = read_clocks().mono + kSettle;
  }
}

void KernelWatch::watch_more(const std::function<void(uplink::Interest&)>& edit) {
  if (!monitor_) return;
  auto interest = monitor_->interest();
  edit(interest);
  if (interest != monitor_->interest()) monitor_->watch(std::move(interest));
}

void KernelWatch::read() {
  changed_ = false;
  auto inventory = uplink::read_inventory();
  if (!inventory) {
    fault_ = inventory.error();
    log::error("KERNEL_NOT_READ", "links and addresses cannot be read: {}", inventory.error());
    return;
  }
  fault_.clear();
  inventory_ = std::move(*inventory);
}

void KernelWatch::stop() {
  if (ready_) ready_->release();
  ready_.reset();
}

}  // namespace ue::agent
