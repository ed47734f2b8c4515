#include "alert/book.h"

#include <algorithm>

namespace ue::alert {

namespace {

std::string key_of(const Labels& labels) {
  std::string key;
  for (const auto& [name, value] : labels) key.append(name).append(1, '\1').append(value).append(1, '\2');
  return key;
}

}  // namespace

void Book::update(const std::vector<Condition>& conditions, const Now& now) {
  for (const auto& condition : conditions) {
    const auto key = key_of(condition.labels);
    auto found = alerts_.find(key);
    if (found != alerts_.end() && found->second.ended) {
      // It is back before everybody heard that it was over: an alert of its own, that waits like any other.
      found->second = Alert{condition, now.mono, now.mono, {}, {}, std::move(found->second.told)};
    } else if (found == alerts_.end()) {
      if (alerts_.size() >= kMaxAlerts) {
        ++refused_;
        continue;
      }
      Alert fresh{condition, now.mono, now.mono, {}, {}, std::vector<Told>(flights_.size())};
      found = alerts_.emplace(key, std::move(fresh)).first;
    }
    Alert& alert = found->second;
    alert.held = now.mono;
    alert.condition = condition;  // its figures
    if (!alert.fired && now.mono - alert.since >= condition.rule->pending) alert.fired = now.wall;
  }
  end_what_is_over(now);
}

void Book::end_what_is_over(const Now& now) {
  for (auto& [key, alert] : alerts_) {
    if (alert.ended || alert.held == now.mono) continue;
    if (alert.fired && now.mono - alert.held < alert.condition.rule->keep_firing) continue;
    alert.ended = now.wall;
    // Who never heard of it need not hear of its end; a post that is under way may arrive.
    for (std::size_t r = 0; r < alert.told.size(); ++r)
      alert.told[r].over = !alert.told[r].at && !flights_[r].over.contains(key);
  }
  std::erase_if(alerts_, [](const auto& entry) {
    const auto& told = entry.second.told;
    return entry.second.ended && std::all_of(told.begin(), told.end(), [](const Told& t) { return t.over; });
  });
}

std::vector<Message> Book::due(std::size_t receiver, const Now& now) {
  std::vector<Message> messages;
  Flight& flight = flights_[receiver];
  if (flight.under_way) return messages;
  for (const auto& [key, alert] : alerts_) {
    if (messages.size() >= kMaxBatch) break;
    const Told& told = alert.told[receiver];
    const bool over = alert.ended.has_value();
    if (over ? told.over : !alert.fired || (told.at && now.mono - *told.at < kResend)) continue;
    const Rule& rule = *alert.condition.rule;
    const auto starts = alert.fired.value_or(alert.ended.value_or(now.wall));
    messages.push_back({alert.condition.labels,
                        {{"summary", std::string(rule.summary)},
                         {"description", alert.condition.description},
                         {"runbook_url", runbook_of(rule)}},
                        starts,
                        over ? *alert.ended : now.wall + kValid});
    flight.over[key] = over;
  }
  flight.under_way = !messages.empty();
  flight.at = now.mono;
  return messages;
}

void Book::settle(std::size_t receiver, bool delivered) {
  Flight& flight = flights_[receiver];
  for (const auto& [key, over] : flight.over) {
    const auto found = alerts_.find(key);
    if (!delivered || found == alerts_.end()) continue;
    Told& told = found->second.told[receiver];
    told = over ? Told{std::nullopt, true} : Told{flight.at, false};
  }
  flight = Flight{};
}

}  // namespace ue::alert
