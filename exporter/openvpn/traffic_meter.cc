#include "openvpn/traffic_meter.h"

namespace ue::openvpn {

namespace {

std::uint64_t grown(std::uint64_t now, std::uint64_t before) { return now >= before ? now - before : now; }

}  // namespace

void TrafficMeter::observe(std::uint64_t received, std::uint64_t sent, const Now& now) {
  if (!seen_) news_ = now.mono;
  if (seen_) {
    const std::uint64_t in = grown(received, seen_->received);
    const std::uint64_t out = grown(sent, seen_->sent);
    received_ += in;
    sent_ += out;
    if (in > 0) {
      last_received_ = now.wall;
      news_ = now.mono;
      sends_ = 0;
    } else if (out > 0) {
      ++sends_;
    }
  }
  seen_ = Reading{received, sent};
}

std::optional<TrafficMeter::Silence> TrafficMeter::silence(Instant now) const {
  if (!seen_) return std::nullopt;
  return Silence{now - news_, sends_};
}

}  // namespace ue::openvpn
