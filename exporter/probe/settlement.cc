#include "probe/settlement.h"

#include <algorithm>

namespace ue::probe {

namespace {

/// Would this probe have been counted, had it arrived? One that does not name its session only where the
/// session was known before it: a reflector that was restarted drops it.
bool countable(const Pending& probe, const stamp::FlowReport& report) {
  if (probe.names_session) return true;
  if (!report.known || report.received == 0) return false;
  for (std::size_t back = 0; back < stamp::kWindow && back <= report.highest_sequence; ++back) {
    const auto sequence = report.highest_sequence - static_cast<std::uint32_t>(back);
    if (report.window.test(back) && sequence < probe.sequence) return true;
  }
  return false;
}

}  // namespace

void Settlement::learn_instance(std::uint64_t instance_id, Instant now, bool over_udp) {
  if (instance_id == 0) return;
  if (instance_id != instance_id_) {
    instance_id_ = instance_id;
    instance_since_ = now;
  }
  if (over_udp) udp_instance_ = instance_id;
}

bool Settlement::denies_credibly(std::uint64_t answering_instance) const {
  return answering_instance == instance_id_ && (udp_instance_ == 0 || udp_instance_ == answering_instance);
}

void Settlement::apply_report(Flow& flow, const stamp::FlowReport& report, std::uint64_t answering_instance,
                              Instant asked) {
  const bool credible = denies_credibly(answering_instance);
  for (auto p = flow.pending.begin(); p != flow.pending.end();) {
    if (p->answered || !p->missing || p->sent + kGrace > asked) {
      ++p;
      continue;
    }
    const bool beyond_window = report.known && report.highest_sequence >= p->sequence + stamp::kWindow;
    const bool received = report.known && report.received > 0 && !beyond_window &&
                          p->sequence <= report.highest_sequence &&
                          report.window.test(report.highest_sequence - p->sequence);
    if (received) {
      settle(*p, Outcome::return_lost);
    } else if (beyond_window || !credible || p->sent < instance_since_ || !countable(*p, report)) {
      ++p;  // nobody knows yet; kGiveUp decides
      continue;
    } else {
      settle(*p, Outcome::forward_lost);
    }
    p = flow.pending.erase(p);
  }
}

void Settlement::count_answer(FlowKind kind, Instant sent) {
  auto& c = counters(kind);
  ++c.delivered;
  ++c.replies;
  settled_.push_back({kind, Outcome::answered, 0, sent});
}

void Settlement::settle(const Pending& probe, Outcome outcome) {
  auto& c = counters(probe.kind);
  switch (outcome) {
    case Outcome::answered:
      break;  // counted as it came, by count_answer()
    case Outcome::return_lost:
      ++c.delivered;
      ++c.return_lost;
      break;
    case Outcome::forward_lost:
      ++c.forward_lost;
      break;
    case Outcome::unattributed:
      ++c.unattributed_lost;
      break;
  }
  settled_.push_back({probe.kind, outcome, probe.run_position, probe.sent});
}

/// Between two answered probes the reflector sent (difference of its numbers - 1) replies that were lost on
/// return; the rest of the gap never reached it. `pending[first - 1]` and `pending[answered]` are answered.
void Settlement::settle_gap(Flow& flow, std::size_t first, std::size_t answered) {
  const auto& before = flow.pending[first - 1];
  const auto& after = flow.pending[answered];
  const std::size_t gap = answered - first;
  const bool usable = stateful_ && after.reflector_sequence > before.reflector_sequence &&
                      after.sequence - before.sequence == gap + 1;
  const std::size_t on_return =
      usable ? std::min<std::size_t>(after.reflector_sequence - before.reflector_sequence - 1, gap) : 0;
  for (std::size_t i = 0; i < gap; ++i) {
    settle(flow.pending[first + i], !usable         ? Outcome::unattributed
                                    : i < on_return ? Outcome::return_lost
                                                    : Outcome::forward_lost);
  }
  flow.pending.erase(flow.pending.begin() + static_cast<std::ptrdiff_t>(first),
                     flow.pending.begin() + static_cast<std::ptrdiff_t>(answered));
}

void Settlement::sweep(Flow& flow, Instant now) {
  auto& pending = flow.pending;
  for (std::size_t i = 1; i < pending.size(); ++i) {
    if (pending[i].sent + kAskingIsOver > now) break;
    if (!pending[i].answered) continue;
    std::size_t first = i;
    while (first > 0 && !pending[first - 1].answered) --first;
    if (first == i || first == 0) continue;
    settle_gap(flow, first, i);
    i = first;
  }
  // An answered probe is kept while a gap next to it may still need its number.
  auto keep = pending.begin();
  for (; keep != pending.end(); ++keep) {
    const auto next = keep + 1;
    if (keep->answered && (next == pending.end() || next->answered)) {
      if (next == pending.end()) break;  // the newest answer anchors the next gap
    } else if (keep->sent + kGiveUp <= now) {
      if (!keep->answered) settle(*keep, Outcome::unattributed);
    } else {
      break;
    }
  }
  pending.erase(pending.begin(), keep);
}

void Settlement::void_window(Flow& flow) {
  for (const auto& p : flow.pending) {
    if (!p.answered) settle(p, Outcome::unattributed);
  }
  flow.pending.clear();
}

}  // namespace ue::probe
