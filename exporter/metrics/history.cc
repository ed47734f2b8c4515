#include "metrics/history.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <utility>

namespace ue::metrics {

namespace {

template <typename Map, typename Keep>
bool erase_unless(Map& map, const Keep& keep) {
  return std::erase_if(map, [&](const auto& entry) { return !keep.contains(entry.first); }) > 0;
}

std::uint32_t grown(std::uint64_t now, std::uint64_t before) {
  return static_cast<std::uint32_t>(now - before);
}

std::uint64_t open(const FlowCounters& c) {
  const auto settled = c.replies + c.forward_lost + c.return_lost + c.unattributed_lost;
  return c.sent > settled ? c.sent - settled : 0;
}

/// Moves up to `n` from one count to another; returns what is left of n.
std::uint32_t move(std::uint32_t& from, std::uint32_t& to, std::uint32_t n) {
  const auto moved = std::min(from, n);
  from -= moved;
  to += moved;
  return n - moved;
}

}  // namespace

/// Probes are settled in the order in which they were sent, so what has been settled since the last bin was
/// what had been open for longest; the rest is of the newest bin itself. What is open beyond that is the
/// newest's, too.
void History::settle(std::vector<Bin>& bins, Bin& newest, const Totals& now) {
  for (const auto kind : {&Bin::forward_lost, &Bin::return_lost, &Bin::unattributed}) {
    auto left = std::exchange(newest.*kind, 0);
    for (auto bin = bins.begin(); bin != bins.end() && left > 0; ++bin)
      left = move(bin->open, (*bin).*kind, left);
    newest.*kind = left;
  }
  std::uint64_t known = 0;
  for (const auto& bin : bins) known += bin.open;
  // What is no longer open although nothing says that it was lost was answered, and lately sent.
  auto answered = static_cast<std::uint32_t>(known > now.open ? known - now.open : 0);
  for (auto bin = bins.rbegin(); bin != bins.rend() && answered > 0; ++bin) {
    const auto left = move(bin->open, bin->answered, answered);
    newest.answered -= std::min(newest.answered, answered - left);
    answered = left;
  }
  newest.open = static_cast<std::uint32_t>(now.open > known ? now.open - known : 0);
}

History::Totals History::totals(const Path& p) {
  const auto& count = p.rtt.counts;
  return {p.steady.replies + p.fresh.replies,
          p.steady.forward_lost + p.fresh.forward_lost,
          p.steady.return_lost + p.fresh.return_lost,
          p.steady.unattributed_lost + p.fresh.unattributed_lost,
          open(p.steady) + open(p.fresh),
          p.rtt.sum,
          std::accumulate(count.begin(), count.end(), std::uint64_t{0})};
}

/// Ends the bin if its time is up. Bins end at whole multiples of their width, so that those of all paths
/// stand side by side; spans without a snapshot become empty bins.
bool History::close(Filling& f, Series& series, std::size_t capacity, const Totals& now, double at) {
  const double width = series.width;
  if (f.end > 0 && (at < f.end - 2 * width || at > f.end + width * static_cast<double>(capacity))) {
    series.bins.clear();  // the clock was set
    f.end = 0;
  }
  if (f.end == 0) {
    f = {(std::floor(at / width) + 1) * width, now};
    series.end = f.end - width;
    return true;
  }
  if (at < f.end) return false;
  Bin bin{grown(now.answered, f.at_start.answered), grown(now.forward_lost, f.at_start.forward_lost),
          grown(now.return_lost, f.at_start.return_lost), grown(now.unattributed, f.at_start.unattributed),
          0};
  const auto measured = now.rtt_count - f.at_start.rtt_count;
  if (measured > 0)
    bin.rtt = static_cast<float>((now.rtt_sum - f.at_start.rtt_sum) / static_cast<double>(measured));
  settle(series.bins, bin, now);
  series.bins.push_back(bin);
  for (f.end += width; f.end <= at; f.end += width) series.bins.emplace_back();
  series.end = f.end - width;
  if (series.bins.size() > capacity)
    series.bins.erase(series.bins.begin(), series.bins.end() - static_cast<std::ptrdiff_t>(capacity));
  f.at_start = now;
  return true;
}

bool History::note_path(const Path& path, PathPast& past, double at) {
  auto& track = tracks_[{path.uplink, path.reflector}];
  const Totals now = totals(path);
  if (now.answered < track.last.answered || now.rtt_count < track.last.rtt_count ||
      now.return_lost < track.last.return_lost || now.forward_lost < track.last.forward_lost) {
    track = {};  // the path was built anew and counts from 0; what it was before stays to be seen
    track.minutes.end = past.minutes.end + kMinutesBin;
    track.hours.end = past.hours.end + kHoursBin;
  }
  track.last = now;
  past.minutes.width = kMinutesBin;
  past.hours.width = kHoursBin;
  bool changed = close(track.minutes, past.minutes, kMinutesBins, now, at);
  changed = close(track.hours, past.hours, kHoursBins, now, at) || changed;
  for (const auto& [pattern, lifetime] : path.lifetimes) {
    for (const auto& [hold, n] : lifetime.holds) {
      auto& batch = track.holds[{pattern, hold}];
      if (n.probes == batch.seen.probes) continue;
      if (at - batch.changed > kBatchGap) batch.start = batch.seen;
      batch.seen = {n.probes, n.replies};
      batch.changed = at;
      past.holds[{pattern, hold}] = {n.probes - batch.start.probes, n.replies - batch.start.replies};
      changed = true;
    }
  }
  return changed;
}

bool History::note_verdict(const Uplink& uplink, double at) {
  auto& changes = next_.changes[uplink.name];
  if (!changes.empty() && changes.back().conclusion.verdict == uplink.conclusion.verdict) {
    // The sentence of an ongoing verdict tells more as time goes on.
    changes.back().conclusion.why = uplink.conclusion.why;
    return false;
  }
  changes.push_back({at, uplink.conclusion});
  if (changes.size() > kChanges) changes.erase(changes.begin());
  return true;
}

void History::note(const Snapshot& s) {
  bool changed = false;
  if (next_.began == 0 || s.published < next_.began) {
    next_.began = s.published;
    changed = true;
  }
  std::set<std::string> uplinks;
  std::set<std::pair<std::string, std::string>> paths;
  for (const auto& uplink : s.uplinks) {
    if (uplinks.size() < kPaths) {
      uplinks.insert(uplink->name);
      changed = note_verdict(*uplink, s.published) || changed;
    }
    for (const auto& path : uplink->paths) {
      const std::pair key{path->uplink, path->reflector};
      if (paths.size() >= kPaths) break;
      paths.insert(key);
      changed = note_path(*path, next_.paths[key], s.published) || changed;
    }
  }
  erase_unless(tracks_, paths);
  changed = erase_unless(next_.paths, paths) || changed;
  changed = erase_unless(next_.changes, uplinks) || changed;
  if (changed) past_ = std::make_shared<const Past>(next_);
}

}  // namespace ue::metrics
