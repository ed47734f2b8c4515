#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "probe/types.h"

namespace ue::agent {

/// A reflector as the agent uses it: its configuration and, where it has a key, who we are to it.
struct ReflectorTarget {
  config::Reflector config;
  std::optional<probe::Identity> identity;
};

/// The configured reflectors with their keys. One whose key cannot be read is off by itself, and is tried
/// again every minute. Owned by the Agent, on the loop's thread.
class ReflectorTargets {
 public:
  struct State {
    ReflectorTarget target;
    std::string fault;  ///< why it is off; empty: it is not
  };

  void set(const std::vector<config::Reflector>& reflectors, Instant now);
  /// True: one is on again.
  bool retry(Instant now);
  /// Those that are on, in the order of the configuration.
  std::vector<ReflectorTarget> usable() const;
  const std::map<std::string, State>& all() const { return by_name_; }

 private:
  bool load_keys(Instant now);

  std::vector<std::string> order_;
  std::map<std::string, State> by_name_;
  Instant retry_at_{};
};

}  // namespace ue::agent
