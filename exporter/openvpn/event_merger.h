#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "openvpn/event.h"

namespace ue::openvpn {

/// One of the voices that tell of a daemon. A management socket has two: the lines of its log and its states.
enum class Channel : std::uint8_t {
  log,
  journal,
  status,
  management_log,
  management_state,
  management_client
};

/// Lets each event through once, whichever channel tells it first: several sources of one daemon tell the
/// same things, at different times and with different words. The n-th telling of one channel is the n-th of
/// another. Pure and bounded; owned by a Tunnel.
class EventMerger {
 public:
  /// True: new, so apply it. `history`: the channel tells what was before it was asked; of that, what is
  /// older than the newest event known was told already, or its effects are known.
  bool is_new(const Event& event, Channel channel, bool history, const Now& now);

  /// The channel begins anew and may tell again what it told before.
  void retell(Channel channel);

 private:
  static constexpr std::size_t kGeneration = 16'384;  ///< identities
  static constexpr std::size_t kAlike = 64;           ///< of one identity: a flood is not worth more

  struct Entry {
    WallTime at{};
    bool dated = false;     ///< by the daemon; else by when we read it
    std::uint8_t told = 0;  ///< a bit for each channel
  };
  using Generation = std::unordered_map<std::uint64_t, std::vector<Entry>>;  // by identity, oldest first

  static bool match(Generation& among, std::uint64_t identity, const Entry& entry);

  Generation young_;
  Generation old_;
  std::optional<WallTime> newest_;
};

}  // namespace ue::openvpn
