#pragma once
#include <string>
#include <vector>

#include "alert/alert.h"

namespace ue::alert {

/// The body of POST /api/v2/alerts, Alertmanager's API v2. Text that is no UTF-8 is mended.
std::string to_json(const std::vector<Message>& messages);

/// RFC 3339 with milliseconds, in UTC: "2026-11-23T10:00:00.250Z".
std::string rfc3339(WallTime t);

}  // namespace ue::alert
