#include "web/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "metrics/history.h"
#include "web/layout.h"
#include "web/tone.h"

namespace ue::web {
namespace {

using metrics::Bin;
using metrics::Series;

constexpr double kHeight = 40;  // units of all drawings; their width is one unit a bin

/// Columns of one colour, collected into the one path that draws them.
class Columns {
 public:
  void add(std::size_t x, double from, double to) {
    if (to > from)
      path_ += fmt::format("M{} {:.4g}h1v{:.4g}h-1z", x, kHeight * (1 - to), kHeight * (to - from));
  }
  void draw(Html& page, Html::Markup css) const {
    if (!path_.empty()) page.raw("<path class=\"").raw(css).raw("\" d=\"").text(path_).raw("\"/>");
  }

 private:
  std::string path_;
};

void begin_svg(Html& page, std::size_t width, std::string_view says) {
  page.raw("<svg viewBox=\"0 0 ").text(fmt::format("{} {}", width, kHeight));
  page.raw("\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"").text(says).raw("\">");
}

struct Share {  ///< of the probes of one bin, from the bottom up
  std::uint32_t good;
  std::uint32_t open;
  std::uint32_t unsure;
  std::uint32_t bad;
};

Share forward(const Bin& b) { return {b.answered + b.return_lost, b.open, b.unattributed, b.forward_lost}; }
Share back(const Bin& b) { return {b.answered, b.open, b.unattributed, b.return_lost}; }
Share any(const Bin& b) { return {b.answered, b.open, b.unattributed, b.forward_lost + b.return_lost}; }

/// The newest bin stands at the right edge, whether or not there are enough to fill the drawing.
void draw_shares(Html& page, const Series* series, std::size_t capacity, std::string_view says,
                 Share (*share)(const Bin&)) {
  Columns good, open, unsure, bad;
  const std::size_t have = series == nullptr ? 0 : std::min(series->bins.size(), capacity);
  for (std::size_t i = 0; i < have; ++i) {
    const auto s = share(series->bins[series->bins.size() - have + i]);
    const double all = s.good + s.open + s.unsure + s.bad;
    if (all == 0) continue;
    const std::size_t x = capacity - have + i;
    good.add(x, 0, s.good / all);
    open.add(x, s.good / all, (s.good + s.open) / all);
    unsure.add(x, (s.good + s.open) / all, (s.good + s.open + s.unsure) / all);
    bad.add(x, (s.good + s.open + s.unsure) / all, 1);
  }
  begin_svg(page, capacity, says);
  good.draw(page, "fgood");
  open.draw(page, "fdim");
  unsure.draw(page, "fwarn");
  bad.draw(page, "fbad");
  page.raw("</svg>");
}

void add_share(Html& page, Html::Markup title, const Series* series, std::uint64_t part, std::uint64_t of,
               std::uint64_t open, Share (*share)(const Bin&)) {
  // From all that are open being lost to none; where nothing is settled, nothing is known.
  auto ratio = format_ratio(part, of == 0 ? 0 : of + open);
  if (of > 0 && open > 0) ratio += " to " + format_ratio(part + open, of + open);
  const bool bad = of > 0 && static_cast<double>(part) < 0.95 * static_cast<double>(of + open);
  page.raw("<figure><figcaption>")
      .raw(title)
      .raw(" <b")
      .raw(bad ? Html::Markup(" class=\"bad\"") : Html::Markup(""));
  page.raw(">").text(ratio).raw("</b></figcaption>");
  draw_shares(page, series, metrics::History::kMinutesBins, ratio + " in the last two minutes", share);
  page.raw("</figure>\n");
}

void add_rtt(Html& page, const metrics::Path& path, const Series* series) {
  constexpr std::size_t kCapacity = metrics::History::kMinutesBins;
  float top = 0;
  if (series != nullptr) {
    for (const auto& bin : series->bins) top = std::max(top, bin.rtt);
  }
  page.raw("<figure><figcaption>Round trip <b>")
      .text(format_milliseconds(path.smoothed_rtt))
      .raw("</b></figcaption>");
  begin_svg(page, kCapacity,
            top > 0 ? fmt::format("at most {:.1f} ms on average of 5 s", top * 1e3) : "nothing measured");
  std::string line;
  bool pen_up = true;
  const std::size_t have = series == nullptr ? 0 : std::min(series->bins.size(), kCapacity);
  for (std::size_t i = 0; i < have; ++i) {
    const auto& bin = series->bins[series->bins.size() - have + i];
    if (bin.rtt > 0) {
      const double x = static_cast<double>(kCapacity - have + i) + 0.5;
      line += fmt::format("{}{:.4g} {:.4g}", pen_up ? 'M' : 'L', x, kHeight * (1 - 0.85 * bin.rtt / top));
      if (pen_up) line += "h.5";  // one alone is seen, too
    }
    pen_up = bin.rtt <= 0;
  }
  if (!line.empty()) page.raw("<path class=\"line\" d=\"").text(line).raw("\"/>");
  page.raw("</svg></figure>\n");
}

/// What the patterns of the ladder are, to somebody who has not read of them.
Html::Markup pattern_text(std::string_view pattern) {
  if (pattern == "solitary") return "after one packet";
  if (pattern == "exchange") return "after an exchange";
  if (pattern == "stream") return "after a stream";
  if (pattern == "inbound") return "after inbound only";
  if (pattern == "active") return "while sending on";
  return "";
}

void add_bracket(Html& page, const metrics::MappingLifetime& lifetime) {
  if (lifetime.upper && lifetime.lower) {
    page.text(format_seconds(*lifetime.lower)).raw(" to ").text(format_seconds(*lifetime.upper));
  } else if (lifetime.upper) {
    page.raw("under ").text(format_seconds(*lifetime.upper));
  } else if (lifetime.lower) {
    page.raw("over ").text(format_seconds(*lifetime.lower));
  } else {
    page.raw("–");
  }
  if (lifetime.upper && lifetime.is_own == true)
    page.raw(" <span class=\"soft\">(this gateway itself forgets)</span>");
}

bool was_tried(const metrics::MappingLifetime& lifetime) {
  return std::any_of(lifetime.holds.begin(), lifetime.holds.end(),
                     [](const auto& hold) { return hold.second.probes > 0; });
}

void add_cell(Html& page, const metrics::NewestHold& n, bool is_keepalive) {
  static constexpr std::array<Html::Markup, 5> kHeat{"h0", "h1", "h2", "h3", "h4"};
  const auto level = n.replies == 0          ? std::size_t{0}
                     : n.replies >= n.probes ? std::size_t{4}
                                             : 1 + std::min<std::size_t>(2, n.replies * 3 / n.probes);
  page.raw("<td class=\"").raw(kHeat[level]).raw(is_keepalive ? Html::Markup(" keep") : Html::Markup(""));
  page.raw("\">").text(fmt::format("{}/{}", n.replies, n.probes)).raw("</td>");
}

}  // namespace

void add_minutes(Html& page, const metrics::Path& path, const metrics::PathPast* past, std::uint64_t open) {
  const auto recent = path.recent.value_or(metrics::Recent{});
  const auto delivered = recent.answered + recent.return_lost;
  const Series* series = past == nullptr ? nullptr : &past->minutes;
  add_share(page, "Forward", series, delivered, delivered + recent.forward_lost, open, forward);
  add_share(page, "Return", series, recent.answered, delivered, open, back);
  add_rtt(page, path, series);
}

void add_hours(Html& page, const metrics::Past& past, const std::vector<metrics::VerdictChange>& changes,
               const metrics::PathPast* path, double now) {
  constexpr double kSpan = metrics::History::kHoursBin * metrics::History::kHoursBins;
  constexpr int kUnits = 1000;
  const double from = std::max({past.began, now - kSpan, changes.empty() ? now : changes.front().at});
  const double span = std::max(now - from, 1.0);
  page.raw("<div class=\"wide\"><h3>")
      .raw(now - past.began > kSpan ? Html::Markup("The last hours") : Html::Markup("Since start"));
  page.raw(
      "</h3>\n<svg class=\"strip\" viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"Verdicts over time\">");
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const double begin = std::max(changes[i].at, from);
    const double end = i + 1 < changes.size() ? changes[i + 1].at : now;
    if (end <= from) continue;
    const auto x = static_cast<int>(std::lround(kUnits * (begin - from) / span));
    const auto width = std::max(static_cast<int>(std::lround(kUnits * (end - from) / span)) - x, 2);
    page.raw("<rect class=\"").raw(tone(changes[i].conclusion.verdict).fill);
    page.raw("\" x=\"").text(fmt::format("{}", x)).raw("\" width=\"").text(fmt::format("{}", width));
    page.raw("\" height=\"1\"><title>")
        .text(verdict::name(changes[i].conclusion.verdict))
        .raw("</title></rect>");
  }
  page.raw("</svg>\n<p class=\"axis\"><span>");
  add_time(page, from);
  page.raw("</span><span>now</span></p>\n");
  // Of a quarter of an hour the drawing above it shows as much.
  if (path != nullptr && path->hours.bins.size() > 7) {
    page.raw("<h3>Probes answered</h3>\n");
    draw_shares(page, &path->hours, metrics::History::kHoursBins, "answered over the last six hours", any);
    page.raw("\n<p class=\"axis\"><span>6 h ago</span><span>now</span></p>\n");
  }
  if (changes.size() > 1) {
    page.raw("<details><summary>")
        .text(fmt::format("{} change{}", changes.size() - 1, changes.size() > 2 ? "s" : ""))
        .raw("</summary>\n<ol>\n");
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
      page.raw("<li>");
      add_time(page, change->at);
      page.raw(" ");
      add_verdict(page, change->conclusion.verdict);
      page.raw(" ").text(change->conclusion.why).raw("</li>\n");
    }
    page.raw("</ol></details>\n");
  }
  page.raw("</div>\n");
}

void add_ladder(Html& page, const metrics::Path& path, const metrics::PathPast* past,
                const std::optional<double>& keepalive) {
  std::map<double, std::string> holds;
  for (const auto& [pattern, lifetime] : path.lifetimes) {
    for (const auto& [hold, n] : lifetime.holds) {
      if (n.probes > 0) holds[std::strtod(hold.c_str(), nullptr)] = hold;
    }
  }
  if (holds.empty()) return;
  // The shortest hold that is at least as long as the keepalive says whether the keepalive is short enough.
  const auto needed = keepalive ? holds.lower_bound(*keepalive) : holds.end();
  // Nothing is measured while replies stay away.
  const bool past_only = tone(path.conclusion.verdict).css.value == "bad";
  page.raw("<div class=\"wide\"><h3>");
  page.raw(past_only ? Html::Markup("How long the NAT remembered a silent flow, before the fault")
                     : Html::Markup("How long the NAT remembers a silent flow"));
  page.raw(
      "</h3>\n<div class=\"scroll\"><table class=\"heat\">\n<thead><tr><th scope=\"col\">Replies after a "
      "silence of</th>");
  for (const auto& [seconds, hold] : holds)
    page.raw("<th scope=\"col\">").text(format_seconds(seconds)).raw("</th>");
  page.raw("<th scope=\"col\">remembered</th></tr></thead>\n<tbody>\n");
  for (const auto* pattern : {"solitary", "exchange", "stream", "inbound", "active"}) {
    const auto lifetime = path.lifetimes.find(pattern);
    if (lifetime == path.lifetimes.end() || !was_tried(lifetime->second)) continue;
    page.raw("<tr><th scope=\"row\">").raw(pattern_text(pattern)).raw("</th>");
    for (auto hold = holds.begin(); hold != holds.end(); ++hold) {
      const auto counted = lifetime->second.holds.find(hold->second);
      if (counted == lifetime->second.holds.end() || counted->second.probes == 0) {
        page.raw("<td>·</td>");
        continue;
      }
      metrics::NewestHold n{counted->second.probes, counted->second.replies};
      if (past != nullptr) {
        const auto newest = past->holds.find({pattern, hold->second});
        if (newest != past->holds.end()) n = newest->second;
      }
      add_cell(page, n, hold == needed);
    }
    page.raw("<td class=\"note\">");
    add_bracket(page, lifetime->second);
    page.raw("</td></tr>\n");
  }
  page.raw("</tbody></table></div>\n");
  if (keepalive) {
    page.raw("<p class=\"soft\">A tunnel pings after ").text(format_seconds(*keepalive)).raw(" of silence");
    const auto stream = path.lifetimes.find("stream");
    if (stream != path.lifetimes.end() && stream->second.upper && *stream->second.upper <= *keepalive) {
      page.raw(": <b class=\"bad\">too late</b>, ");
      page.raw(stream->second.is_own == true
                   ? Html::Markup("this gateway's own connection tracker has forgotten the flow by then.")
                   : Html::Markup("the flow is forgotten by then."));
    } else if (stream != path.lifetimes.end() && stream->second.lower &&
               *stream->second.lower >= *keepalive) {
      page.raw(past_only ? Html::Markup(": that was in time.")
                         : Html::Markup(": <b class=\"good\">in time</b>."));
    } else {
      page.raw(".");
    }
    if (needed != holds.end()) page.raw(" The underlined cell is the one that decides.");
    page.raw("</p>\n");
  }
  page.raw("</div>\n");
}

}  // namespace ue::web
