#include "probe/size_check.h"

#include <algorithm>

#include "probe/packets.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kSmall = 0;  // sequence numbers of the two probes of a round
constexpr std::uint32_t kLarge = 1;
constexpr Nanos kLeastWait = 1s;
constexpr Nanos kAgain = 3s;       // between rounds that confirm: a burst of losses or a full queue ends
constexpr Nanos kLeastTime = 15s;  // of failures, likewise
constexpr std::uint32_t kHopeless = 10;  // rounds in a row without any answer: then there is no hurry
constexpr Nanos kSearching = 1s;         // between rounds that look for a size that passes
constexpr std::uint32_t kTries = 3;      // of each smaller size
constexpr Nanos kLimitValid = 10min;     // RFC 1191 §6.3: then a larger size is tried again
constexpr std::uint32_t kLeastMtu4 = 576;
constexpr std::uint32_t kLeastMtu6 = 1280;

/// Where links of the world end: PPPoE, DS-Lite, MAP-E, GRE, the mobile networks, and round numbers between.
constexpr std::uint32_t kSizes[] = {1480, 1472, 1460, 1454, 1440, 1420, 1400, 1380,
                                    1360, 1340, 1320, 1300, 1280, 1200, 1000, 576};

}  // namespace

SizeCheck::SizeCheck(Settings settings, RandomSource random)
    : settings_(std::move(settings)), random_(std::move(random)) {}

std::uint32_t SizeCheck::headers() const { return family_ == Family::ipv4 ? 28 : 48; }

std::uint32_t SizeCheck::size() const { return limit_.value_or(kTunnelSize); }

std::optional<std::uint32_t> SizeCheck::passing_payload() const {
  if (!smaller_passes_) return std::nullopt;
  return *smaller_passes_ - headers();
}

std::optional<std::uint32_t> SizeCheck::smaller(std::uint32_t size) const {
  const auto least = family_ == Family::ipv4 ? kLeastMtu4 : kLeastMtu6;
  for (const auto s : kSizes) {
    if (s < size && s >= least) return s;
  }
  return std::nullopt;
}

Nanos SizeCheck::later() {
  const auto spread = static_cast<std::uint64_t>(settings_.interval.count() / 10);
  return settings_.interval + Nanos(static_cast<std::int64_t>(random_() % spread));
}

void SizeCheck::set_allowed(const Now& now, bool allowed) {
  if (allowed == allowed_) return;
  allowed_ = allowed;
  if (allowed) {
    // Soon, but not among the first packets, which show whether anything passes.
    next_ = std::max(next_, now.mono + kAgain);
  } else {
    end_round();
  }
}

void SizeCheck::restart(const Now& now, Family family) {
  family_ = family;
  end_round();
  next_ = now.mono;
  passes_.reset();
  failures_ = 0;
  voids_ = 0;
  missed_ = false;
  limit_.reset();
  trying_.reset();
  smaller_passes_.reset();
}

void SizeCheck::advance(const Now& now, const PathState& path) {
  path_ = path;
  if (!allowed_) return;
  if (round_ && now.mono >= round_->deadline) {
    const auto over = *round_;
    end_round();
    if (over.alone) {
      missed_ = true;
      next_ = now.mono + kAgain;
    } else if (over.small_back) {
      failed(now);
    } else {  // nothing came back at all: that is not about the size
      if (voids_ < kHopeless) ++voids_;
      const bool doubtful = passes_ != false && (missed_ || failures_ > 0);
      next_ = now.mono + (doubtful && voids_ < kHopeless ? kAgain : later());
    }
  }
  if (!round_ && now.mono >= next_) begin(now);
}

Instant SizeCheck::wake_at() const {
  if (!allowed_) return Instant::max();
  return round_ ? round_->deadline : next_;
}

void SizeCheck::begin(const Now& now) {
  if (limit_ && now.mono >= limit_until_) {
    limit_.reset();
    failures_ = 0;
  }
  round_ = Round{next_handle_, random_(), static_cast<std::uint16_t>(random_() | 1), trying_.value_or(size()),
                 now.mono + std::max(path_.loss_timeout, kLeastWait)};
  next_handle_ = kFirstHandle | ((next_handle_ + 1) & ~kHandleBits);
  actions_.push_back(OpenFlow{round_->flow, true});
  round_->alone = passes_ == true && failures_ == 0 && !trying_ && !missed_;
  if (!round_->alone) send(now, *round_, kSmall, 0);
  send(now, *round_, kLarge, round_->size);
}

void SizeCheck::send(const Now& now, const Round& round, std::uint32_t sequence, std::uint32_t size) {
  Extras extras;
  extras.naming = true;  // either may arrive first
  extras.instance_id = path_.instance_id;
  extras.fill_up_to = size > headers() ? size - headers() : 0;
  actions_.push_back(
      SendProbe{round.flow, sequence,
                build_probe(settings_.identity, round.flow_id, round.ssid, sequence, now.wall, extras)});
}

void SizeCheck::end_round() {
  if (!round_) return;
  actions_.push_back(CloseFlow{round_->flow});
  round_.reset();
}

void SizeCheck::on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector) {
  if (!from_reflector || !round_ || round_->flow != flow) return;
  const auto parsed = parse_reply(datagram, settings_.identity, round_->ssid, round_->flow_id);
  const auto* reply = std::get_if<Reply>(&parsed);
  if (reply == nullptr) return;
  if (reply->base.sender_sequence == kSmall) {
    round_->small_back = true;
    voids_ = 0;
  } else if (reply->base.sender_sequence == kLarge) {
    passed(now);
  }
}

void SizeCheck::on_too_big(const Now& now, FlowHandle flow, std::uint32_t mtu) {
  if (!round_ || round_->flow != flow || trying_) return;
  const auto told = mtu == 0 ? smaller(round_->size).value_or(0) : mtu;
  const auto least = family_ == Family::ipv4 ? kLeastMtu4 : kLeastMtu6;
  // What would pass by its own words, or what no network has, explains nothing.
  if (told >= round_->size || told < least) return;
  limit_ = told;
  limit_until_ = now.mono + kLimitValid;
  failures_ = 0;
  end_round();
  next_ = now.mono + kSearching;
}

void SizeCheck::passed(const Now& now) {
  missed_ = false;
  voids_ = 0;
  if (trying_) {
    smaller_passes_ = trying_;
    trying_.reset();
  } else {
    passes_ = true;
    smaller_passes_.reset();
  }
  failures_ = 0;
  end_round();
  next_ = now.mono + later();
}

void SizeCheck::failed(const Now& now) {
  if (failures_++ == 0) first_failure_ = now.mono;
  if (trying_) {
    next_ = now.mono + kSearching;
    if (failures_ < kTries) return;
    failures_ = 0;
    trying_ = smaller(*trying_);
    if (!trying_) next_ = now.mono + later();
    return;
  }
  if (passes_ == false) {
    next_ = now.mono + later();
    return;
  }
  const bool chance =
      failures_ < std::max(path_.losses_needed, kLeastFailures) || now.mono - first_failure_ < kLeastTime;
  next_ = now.mono + kAgain;
  if (chance) return;
  passes_ = false;
  failures_ = 0;
  trying_ = smaller(size());
}

}  // namespace ue::probe
