#pragma once
#include <cstdint>
#include <vector>

#include "base/hops.h"

namespace ue::probe {

/// One traceroute: which TTL comes next, and who answered. Goes outward until the far end answers or hops
/// that should answer are silent, asks the silent ones twice more, and goes on where one of them answers
/// after all. Passive; owned by Localiser, which paces it so that the answer to one packet is there before
/// the next.
class Trace {
 public:
  static constexpr unsigned kMostHops = 24;

  /// `most`: the highest TTL, at most kMostHops; `usual` where the way is known from better days.
  Trace(unsigned most, std::optional<Hops> usual);

  /// The TTL of the next packet; nothing: the trace is over.
  std::optional<unsigned> next();
  void answered(unsigned ttl, const IpAddress& router);
  /// The far end itself answered a packet of that TTL.
  void reached(unsigned ttl);

  const Hops& hops() const { return hops_; }

 private:
  static constexpr std::uint8_t kTries = 3;
  static constexpr unsigned kDarkKnown = 2;  ///< silent hops in a row that are enough where the way is known
  static constexpr unsigned kDarkUnknown = 4;  ///< and where it is not

  bool should_answer(unsigned hop) const { return !usual_ || usual_->at(hop).has_value(); }
  bool goes_on() const;

  unsigned most_;
  std::optional<Hops> usual_;
  Hops hops_;
  std::vector<std::uint8_t> tries_;  ///< by hop, as hops_.routers
};

}  // namespace ue::probe
