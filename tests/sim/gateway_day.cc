#include "sim/gateway_day.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace ue::sim {

namespace {

using namespace std::chrono_literals;
using verdict::Verdict;

constexpr Nanos kCalledDown =
    60s;  // an outage this long must be, even where half of everything is lost anyway
constexpr Nanos kAfterwards = 6s;  // a question takes its time to fail
constexpr Nanos kSettling = 30s;   // after which new flows stand for a tunnel

/// Documented timers of NATs and carriers (unreplied, replied, stream).
constexpr NatTimers kNats[] = {{30s, 30s, 120s},  {30s, 180s, 180s},  {60s, 60s, 60s},
                               {15s, 300s, 300s}, {300s, 300s, 300s}, {10s, 10s, 180s}};

VirtualPath::Options options(std::uint64_t seed) {
  VirtualPath::Options o{seed, false};
  o.holds = {1s, 2s, 5s, 10s, 20s, 30s, 60s, 120s};
  o.trusting = true;
  return o;
}

}  // namespace

GatewayDay::GatewayDay(std::uint64_t seed, Nanos length)
    : random_(seed * 7919 + 17), length_(length), path_(options(seed)), nat_(kNats[seed % std::size(kNats)]) {
  path_.checks_size = true;
  nat_.stand_on(path_);
  change_weather();
  schedule_often(4h, [this] { change_weather(); });
  schedule_often(3h, [this] { path_.rebind(); });
  schedule_often(8h, [this] { path_.reflector().restart(random_()); });
  schedule_often(6h, [this] { path_.step_clock(from_seconds(between(-1000, 1000))); });
  schedule_often(8h, [this] {
    const auto time = from_seconds(between(1, 1500));
    interruptions_.push_back({path_.elapsed(), path_.elapsed() + time});
    path_.suspend(time);
  });
  schedule_often(8h, [this] {
    interruptions_.push_back({path_.elapsed(), path_.elapsed()});
    path_.rebind();
    path_.restart();
  });
  schedule_often(5h, [this] { begin_outage(); });
}

/// At times that are random and know nothing of each other.
void GatewayDay::schedule_often(Nanos mean, std::function<void()> event) {
  for (auto at = from_seconds(-std::log(1 - chance()) * to_seconds(mean)); at < length_;
       at += from_seconds(1 - std::log(1 - chance()) * to_seconds(mean)))
    path_.at(at, event);
}

void GatewayDay::change_weather() {
  for (auto* link : {&path_.out, &path_.back}) {
    const auto passes = link->passes;
    *link = Link{};
    link->passes = passes;
    link->delay = from_seconds(between(.002, .04));
    link->jitter = from_seconds(between(0, .03));
    link->straggler = link->duplicate = .0005;
    link->loss = .001;
    link->burst_begins = .0004;
    link->burst_ends = .6;
    link->burst_every = from_seconds(between(600, 3600));
    link->burst_longest = 3s;
  }
  const auto kind = static_cast<int>(between(0, 8));
  auto& one = chance() < .5 ? path_.out : path_.back;
  switch (kind) {
    case 0:  // loss both ways
      path_.out.loss = between(.01, .3);
      path_.back.loss = between(.01, .3);
      break;
    case 1:  // or one way
      one.loss = between(.02, .3);
      break;
    case 2:  // bursts: of a few packets, or of some time, both shorter than what has to be called a fault
      one.burst_begins = between(.001, .01);
      one.burst_ends = between(.4, .7);
      one.burst_every = from_seconds(between(15, 300));
      one.burst_longest = from_seconds(between(.2, 4));
      break;
    case 3:  // a radio link: slow, and everything comes late and out of order
      path_.out.delay = path_.back.delay = from_seconds(between(.05, .4));
      path_.out.jitter = path_.back.jitter = from_seconds(between(.05, .3));
      path_.back.straggler = path_.out.straggler = path_.out.duplicate = .01;
      break;
    case 4:  // a little loss
      one.loss = between(.002, .02);
      break;
    default:  // an ordinary line
      break;
  }
  weather_.push_back(
      fmt::format("{:10.2f} s  weather {}: loss {:.3f} {:.3f}, bursts {:.4f}/{:.2f} {:.4f}/{:.2f}",
                  to_seconds(path_.elapsed()), kind, path_.out.loss, path_.back.loss, path_.out.burst_begins,
                  path_.out.burst_ends, path_.back.burst_begins, path_.back.burst_ends));
}

void GatewayDay::begin_outage() {
  const auto end = path_.elapsed() + from_seconds(std::exp(between(0, std::log(1200))));
  if (!outages_.empty() && outages_.back().end >= path_.elapsed()) return;
  outages_.push_back({path_.elapsed(), end});
  path_.cut(true);
  path_.at(end, [this] { path_.cut(false); });
}

void GatewayDay::play() {
  path_.run_until(length_);
  judge_changes();
}

/// Whether a minute before was really above the threshold; what became of a probe is settled within two
/// minutes.
bool GatewayDay::was_lossy(Nanos at) const {
  const auto worst = std::max(path_.losses_out().worst_minute(at - 5min, at),
                              path_.losses_back().worst_minute(at - 5min, at));
  return worst >= probe::Settings{}.loss_threshold;
}

void GatewayDay::judge_changes() {
  auto before = Verdict::unknown;  // what was said last, but for outages
  for (const auto& change : path_.changes()) {
    const bool out = std::any_of(outages_.begin(), outages_.end(), [&](const Span& o) {
      return change.at >= o.begin && change.at <= o.end + kAfterwards;
    });
    const bool justified =
        change.verdict == Verdict::healthy ||
        (change.verdict == Verdict::lossy && (was_lossy(change.at) || before == Verdict::lossy)) ||
        (change.verdict == Verdict::down && out);
    if (!justified)
      wrong_.push_back(fmt::format("{} at {:.1f} s: {}", verdict::name(change.verdict), to_seconds(change.at),
                                   change.why));
    if (change.verdict != Verdict::down) before = change.verdict;
  }
  for (const auto& o : outages_) {
    // Who sleeps, or has just begun anew, sees nothing die.
    const bool disturbed = std::any_of(interruptions_.begin(), interruptions_.end(), [&](const Span& i) {
      return i.end >= o.begin - kSettling && i.begin <= o.end;
    });
    if (disturbed || o.end > length_ || o.end - o.begin < kCalledDown) continue;
    // It may have been down already, from the outage before.
    bool down = false;
    for (const auto& change : path_.changes()) {
      if (change.at > o.end + kAfterwards) break;
      down = change.verdict == Verdict::down || (down && change.at < o.begin);
      if (down && change.at >= o.begin) break;
    }
    if (!down)
      wrong_.push_back(fmt::format("the outage from {:.1f} s to {:.1f} s was not seen", to_seconds(o.begin),
                                   to_seconds(o.end)));
  }
}

std::string GatewayDay::story() const {
  std::string text;
  for (const auto& w : weather_) text += w + "\n";
  for (const auto& o : outages_)
    text += fmt::format("{:10.2f} s  outage until {:.2f} s\n", to_seconds(o.begin), to_seconds(o.end));
  return text + path_.story();
}

}  // namespace ue::sim
