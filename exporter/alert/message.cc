#include "alert/message.h"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>

namespace ue::alert {

std::string rfc3339(WallTime t) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count();
  const auto seconds = static_cast<std::time_t>(millis >= 0 ? millis / 1000 : (millis - 999) / 1000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(seconds), millis - seconds * 1000);
}

std::string to_json(const std::vector<Message>& messages) {
  auto all = nlohmann::json::array();
  for (const Message& m : messages) {
    all.push_back({{"labels", m.labels},
                   {"annotations", m.annotations},
                   {"startsAt", rfc3339(m.starts)},
                   {"endsAt", rfc3339(m.ends)}});
  }
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace ue::alert
