#include "agent/icmp_notes.h"

#include <fmt/format.h>

namespace ue::agent {

namespace {

constexpr Nanos kComplaintValid = std::chrono::seconds(30);

}  // namespace

void IcmpNotes::note(const uplink::IcmpError& error, Instant now) {
  const auto kind = uplink::icmp_name(error);
  ++counts_[std::string(kind)];
  if (kind != "fragmentation-needed" && kind != "time-exceeded") {
    complaint_ = fmt::format("{} refuses them with ICMP {}", error.offender.to_string(),
                             kind == "other" ? fmt::format("type {} code {}", error.type, error.code) : kind);
    complained_ = now;
  }
  if (kind == "port-unreachable" && error.from_destination)
    refusal_ = {now, "it refuses with ICMP port unreachable from its own address"};
}

std::string IcmpNotes::complaint(Instant now) const {
  return now - complained_ < kComplaintValid ? complaint_ : "";
}

}  // namespace ue::agent
