#include "reflector/shard.h"

namespace ue::reflector {

Shard::Shard(Policy policy, Instance instance, std::shared_ptr<SharedCounts> counts, ShardNumber number,
             ReplyErrorHook reply_error)
    : number_(number),
      reply_error_(std::move(reply_error)),
      core_{ReflectorCore(std::move(policy), instance, std::move(counts)), {}},
      late_timer_(loop_) {}

Shard::~Shard() { stop(); }

Result<std::monostate> Shard::listen(const Endpoint& local) {
  auto port = UdpPort::open(loop_, local, number_, core_, static_cast<std::uint32_t>(ports_.size()),
                            {[this] { arm_late(); }, reply_error_});
  if (!port) return Error{port.error()};
  ports_.push_back(std::move(*port));
  return std::monostate{};
}

void Shard::start() {
  for (const auto& port : ports_) port->start();
  thread_ = std::thread([this] { loop_.run(); });
}

void Shard::stop() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

void Shard::with_core(const std::function<void(ReflectorCore&)>& use) {
  const std::lock_guard lock(core_.mutex);
  use(core_.core);
}

Shard::Totals Shard::totals() const {
  Totals t;
  for (const auto& port : ports_) {
    const auto& c = port->counters();
    t.batches += c.batches;
    t.received_bytes += c.received_bytes;
    t.sent_bytes += c.sent_bytes;
    t.not_unicast += c.not_unicast;
    t.send_errors += c.send_errors;
    t.kernel_drops += port->kernel_drops();
  }
  return t;
}

/// The replies whose time has come. What they answer stays where it is until this thread holds another.
void Shard::send_late() {
  std::array<std::uint8_t, kMaxDatagram> out;
  for (;;) {
    std::optional<ReflectorCore::Late> late;
    with_core([&](ReflectorCore& core) { late = core.take_due(read_clocks(), out); });
    if (!late) break;
    ports_[late->request->socket]->send_late(*late, out);
  }
  late_at_.reset();
  arm_late();
}

void Shard::arm_late() {
  std::optional<Instant> due;
  with_core([&](ReflectorCore& core) { due = core.next_due(); });
  if (!due || (late_at_ && *late_at_ <= *due)) return;
  late_at_ = due;
  late_timer_.expires_at(std::chrono::steady_clock::time_point(due->time_since_epoch()));
  late_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) send_late();
  });
}

}  // namespace ue::reflector
