#include "alert/message.h"

#include <gtest/gtest.h>

namespace ue::alert {
namespace {

using namespace std::chrono_literals;

TEST(AlertMessage, IsWhatAlertmanagersApiTakes) {
  const Message m{{{"alertname", "UplinkDown"}},
                  {{"summary", "\"quoted\"\n\xff"}},
                  WallTime(1'763'892'000s),
                  WallTime(1'763'892'000s + 250ms)};
  EXPECT_EQ(to_json({m}),
            "[{\"annotations\":{\"summary\":\"\\\"quoted\\\"\\n\xEF\xBF\xBD\"},"
            "\"endsAt\":\"2025-11-23T10:00:00.250Z\",\"labels\":{\"alertname\":\"UplinkDown\"},"
            "\"startsAt\":\"2025-11-23T10:00:00.000Z\"}]");
  EXPECT_EQ(to_json({}), "[]");
}

TEST(AlertMessage, TimesBefore1970AreTimesToo) {
  EXPECT_EQ(rfc3339(WallTime(-1ms)), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace ue::alert
