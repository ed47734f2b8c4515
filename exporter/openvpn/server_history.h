#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "openvpn/by_name.h"
#include "openvpn/diagnosis.h"
#include "openvpn/event.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

/// Remembers how a server's clients arrived and concludes from it: one that returns again and again from a
/// new port of its address cannot hear the server; two addresses that take turns share one certificate. Pure,
/// bounded; owned by whoever owns the tunnel's SessionTracker.
class ServerHistory {
 public:
  static constexpr std::size_t kMaxArrivals = 8;

  void apply(const Event& event, WallTime now);

  /// Of one client, as of its newest arrival, however long ago that was.
  Finding of_client(std::string_view name, const TunnelState& state) const;
  /// Of the server: the worst of its clients whose pattern still goes on at `now`, else what the server
  /// itself went through.
  Finding diagnose(const TunnelState& state, WallTime now) const;
  /// Of a whole log: as above, but a client's pattern counts to the log's end.
  Finding summary(const TunnelState& state, WallTime end) const;

 private:
  struct Arrival {
    WallTime at{};
    std::uint32_t address = 0;   ///< hash of what stands before the port: only compared
    std::uint32_t endpoint = 0;  ///< hash of all of it
  };
  /// Arrivals that followed each other without a silence, a goodbye or a refusal between them; newest last.
  /// Small and in one place, because a busy server's log asks for another client with every line.
  class Client {
   public:
    void push_back(const Arrival& arrival);
    void clear() { size_ = 0; }
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    const Arrival& operator[](std::size_t i) const { return arrivals_[i]; }
    const Arrival& back() const { return arrivals_[size_ - 1U]; }

   private:
    std::array<Arrival, kMaxArrivals> arrivals_{};
    std::uint8_t size_ = 0;
  };
  struct Pattern {
    Diagnosis diagnosis = Diagnosis::unknown;
    std::size_t returns = 0;
    Nanos period{};
    WallTime newest{};
  };
  static Pattern pattern(const Client& client, const TunnelState& state);
  static bool stays(const Client& client, const TunnelState& state, WallTime now);
  static Finding finding(std::string_view name, const Pattern& pattern);
  Finding judge(const TunnelState& state, WallTime now, bool to_the_end) const;
  void arrive(const Event& event, WallTime at);
  void leave(const Event& event);

  ByName<Client> clients_;
  bool ran_ = false;                   ///< a process that started before was seen at work
  std::optional<WallTime> restarted_;  ///< the server's process, while we watched
  std::deque<WallTime> refusals_;      ///< of credentials, newest last
};

}  // namespace ue::openvpn
