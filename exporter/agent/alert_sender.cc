#include "agent/alert_sender.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "agent/http_client.h"
#include "alert/conditions.h"
#include "alert/message.h"
#include "base/log.h"

namespace ue::agent {

namespace {

constexpr Nanos kEvaluate = std::chrono::seconds(5);
constexpr Nanos kFirstPause = std::chrono::seconds(5);
constexpr Nanos kLongestPause = std::chrono::minutes(1);

/// "http://host:9093/prefix" taken apart; the configuration has checked it.
HttpPost target_of(const std::string& url) {
  HttpPost target;
  target.tls = url.starts_with("https://");
  const std::string rest = url.substr(url.find("//") + 2);
  const auto slash = rest.find('/');
  const std::string authority = rest.substr(0, slash);
  const auto standard_port = target.tls ? ":443" : ":80";
  const auto given = HostPort::parse(authority);
  target.server = given ? *given : HostPort::parse(authority + standard_port).value_or(HostPort{});
  std::string prefix = slash == std::string::npos ? "" : rest.substr(slash);
  while (prefix.ends_with('/')) prefix.pop_back();
  target.path = prefix + "/api/v2/alerts";
  return target;
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

struct AlertSender::Receiver {
  std::string url;
  HttpPost target;
  std::string fault;  ///< empty: the newest post was accepted, or there was none yet
  Nanos pause = kFirstPause;
  Instant next{};
  std::uint64_t posted = 0;
  std::uint64_t failed = 0;
};

AlertSender::AlertSender(boost::asio::io_context& loop, const std::vector<std::string>& urls)
    : loop_(loop), instance_(host_name()), book_(urls.size()), alive_(std::make_shared<bool>(true)) {
  for (const auto& url : urls)
    receivers_.push_back(
        std::make_unique<Receiver>(Receiver{url, target_of(url), {}, kFirstPause, {}, 0, 0}));
}

AlertSender::~AlertSender() { *alive_ = false; }

void AlertSender::consider(const metrics::Snapshot& snapshot, const Now& now) {
  if (receivers_.empty() || now.mono < next_) return;
  next_ = now.mono + kEvaluate;
  book_.update(alert::conditions(snapshot, instance_, growth_, now), now);
  for (std::size_t i = 0; i < receivers_.size(); ++i) post_due(i, now);
}

void AlertSender::post_due(std::size_t index, const Now& now) {
  Receiver& to = *receivers_[index];
  if (now.mono < to.next) return;
  const auto messages = book_.due(index, now);
  if (messages.empty()) return;
  HttpPost what = to.target;
  what.body = alert::to_json(messages);
  post(loop_, std::move(what), [this, alive = alive_, index](const HttpAnswer& answer) {
    if (!*alive) return;
    Receiver& receiver = *receivers_[index];
    const bool accepted = answer.error.empty() && answer.status / 100 == 2;
    book_.settle(index, accepted);
    if (accepted) {
      ++receiver.posted;
      if (!receiver.fault.empty()) log::info("ALERTMANAGER_REACHED", "{} takes alerts again", receiver.url);
      receiver.fault.clear();
      receiver.pause = kFirstPause;
      return;
    }
    ++receiver.failed;
    const auto reason =
        answer.error.empty() ? fmt::format("it answers with HTTP status {}", answer.status) : answer.error;
    if (receiver.fault.empty())
      log::warn(
          "ALERTMANAGER_UNREACHED",
          "{} takes no alerts: {}. Is it there, and is `alertmanagers` right? Trying again; nothing is lost",
          receiver.url, reason);
    receiver.fault = reason;
    receiver.next = read_clocks().mono + receiver.pause;
    receiver.pause = std::min(receiver.pause * 2, kLongestPause);
  });
}

void AlertSender::add_to(metrics::Snapshot& snapshot) const {
  for (const auto& receiver : receivers_) {
    snapshot.collectors.push_back(
        {"alertmanager:" + receiver->url, receiver->fault.empty(), receiver->fault});
    snapshot.alertmanagers[receiver->url] = {receiver->posted, receiver->failed};
  }
  if (!receivers_.empty()) snapshot.alerts_refused = book_.refused();
}

}  // namespace ue::agent
