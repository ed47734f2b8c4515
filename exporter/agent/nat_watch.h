#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/path.h"
#include "agent/witness.h"
#include "probe/nat_survey.h"

namespace ue::agent {

/// The shell of one uplink's NatSurvey: asks the reflectors and STUN servers of its paths and its witnesses,
/// on one socket at a time, while a path works and no hold ladder has its flows open. Owned by an
/// UplinkRunner, on the loop's thread.
class NatWatch {
 public:
  using Paths = std::vector<std::shared_ptr<Path>>;
  using Witnesses = std::vector<std::unique_ptr<Witness>>;

  NatWatch(boost::asio::io_context& loop, std::string uplink, Mode mode)
      : loop_(loop), uplink_(std::move(uplink)), mode_(mode), survey_(random_u64) {}

  /// Another network may be behind the uplink.
  void bind(const uplink::Binding& binding);
  /// Nothing is being asked, nor will be soon.
  bool settled(Instant now) const { return !survey_.running() && !survey_.due_within(now, {}); }
  /// To be called a few times a second.
  void tick(const Now& now, const Paths& paths, const Witnesses& witnesses);

  /// `gateway`: the next hop, where there is one.
  metrics::Nat snapshot(const Paths& paths, const std::optional<IpAddress>& gateway) const;

 private:
  void run();
  void open(probe::FlowHandle flow);
  static std::vector<probe::NatSurvey::Server> servers(const Paths& paths, const Witnesses& witnesses);
  void note_mapped_address(const Now& now, const Paths& paths);

  boost::asio::io_context& loop_;
  std::string uplink_;
  Mode mode_;
  probe::NatSurvey survey_;
  std::optional<uplink::Binding> binding_;
  std::unique_ptr<FlowSocket> socket_;
  std::unique_ptr<FlowSocket> closed_;  ///< until its own handler has returned
  std::optional<IpAddress> mapped_address_;
  Instant look_again_from_{};
};

}  // namespace ue::agent
