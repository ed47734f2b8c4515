#include "agent/conntrack_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cerrno>

namespace ue::agent {
namespace {

using namespace std::chrono_literals;

const metrics::Collector& collector(const metrics::Snapshot& s) { return s.collectors.at(0); }

/// The read end of a pipe: it can be waited for, and to read messages from it is an error.
TEST(ConntrackWatch, ASocketThatFailsTurnsItOffAndItIsTriedAgain) {
  if (!route::read_conntrack_table()) GTEST_SKIP() << "this kernel has no module nf_conntrack";
  boost::asio::io_context loop;
  int opened = 0;
  int writer = -1;
  ConntrackWatch watch(loop, [&](int&, const auto&) -> Result<route::ConntrackMonitor> {
    ++opened;
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    if (writer >= 0) ::close(writer);
    writer = ends[1];
    return route::ConntrackMonitor::over(ends[0]);
  });
  const auto shows = [&] {
    metrics::Snapshot s;
    watch.add_to(s);
    return collector(s);
  };
  watch.tick(Instant(1h));
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(shows().up);
  ASSERT_EQ(write(writer, "x", 1), 1);
  loop.run_one();
  EXPECT_FALSE(shows().up);
  EXPECT_FALSE(shows().optional) << "that is a fault, not a privilege that is lacking";
  EXPECT_NE(shows().remedy.find("reading its events"), std::string::npos);
  watch.tick(read_clocks().mono + 10s);
  EXPECT_EQ(opened, 1) << "not at once";
  watch.tick(read_clocks().mono + 61s);
  EXPECT_EQ(opened, 2);
  EXPECT_TRUE(shows().up);
  ::close(writer);
}

}  // namespace
}  // namespace ue::agent
