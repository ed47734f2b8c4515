#pragma once
#include <utility>

#include "probe/nat_behaviour.h"
#include "probe/packets.h"

namespace ue::probe {

/// Finds out how the NAT of an uplink maps and filters (RFC 4787, by the tests of RFC 5780 §4.3 and §4.4): on
/// one fresh port it asks every server how it is seen, and a server that offers another address and port asks
/// those, too; on a second fresh port it lets that server answer from where nothing was sent to. An answer
/// proves; a missing one is asked again as often as chance demands, and is taken for a filter only where the
/// same answer comes once the way was opened. At the start, on a change and every six hours; what is known is
/// replaced only by what two surveys in a row agree on. Passive; its shell owns the socket, of which there is
/// never more than one.
class NatSurvey {
 public:
  struct Server {
    Endpoint endpoint;
    bool stun = true;  ///< else a reflector of ours, which tells the mapped endpoint, too
    std::optional<Identity> identity;
    bool operator==(const Server& o) const { return endpoint == o.endpoint && stun == o.stun; }
  };
  struct Open {
    FlowHandle flow;
  };
  struct Close {
    FlowHandle flow;
  };
  struct Send {
    FlowHandle flow;
    Endpoint to;
    Bytes packet;
  };
  using Action = std::variant<Open, Close, Send>;

  explicit NatSurvey(RandomSource random) : random_(std::move(random)) {}

  /// Of one family. The first four are asked.
  void set_servers(const Now& now, std::vector<Server> servers);
  /// Whether replies come back at all, so that a missing one means something.
  void set_allowed(const Now& now, bool allowed);
  /// Another network may be behind the sockets: what is known is void.
  void restart(const Now& now);
  /// The NAT seems to be another: look soon, but not over and over.
  void look_again(const Now& now);

  /// It would begin now. Its owner may first wait for others to close their flows.
  bool due(Instant now) const;
  bool due_within(Instant now, Nanos ahead) const {
    return !servers_.empty() && phase_ == Phase::idle && now + ahead >= next_;
  }
  bool running() const { return phase_ != Phase::idle; }
  void advance(const Now& now, const PathState& path);
  std::vector<Action> take_actions() { return hand_out(actions_); }
  /// `local`: the address and port that it was sent to.
  void on_datagram(const Now& now, FlowHandle flow, ByteView datagram, const Endpoint& source,
                   const Endpoint& local);

  Mapping mapping() const { return known_.mapping; }
  Filtering filtering() const { return known_.filtering; }
  /// The server that offers another address and port (RFC 5780); nothing while none is known.
  const std::optional<Endpoint>& discovery_server() const { return discovery_server_; }
  /// By the newest survey; nothing before the first.
  const std::optional<Endpoint>& mapped() const { return mapped_; }

 private:
  enum class Phase : std::uint8_t { idle, mapping, recheck, greeting, filtering, opening, control };
  struct Request {
    Server server;
    bool other_address = false;
    bool other_port = false;
    std::uint64_t id = 0;
    std::uint16_t ssid = 0;
    std::uint32_t tries_left = 0;
    std::uint32_t sent = 0;
    Instant next{};
    std::optional<Endpoint> mapped;  ///< as the answer says
    bool refused = false;            ///< it does not do what it was asked

    bool pending() const { return !mapped && !refused; }
  };
  struct Behaviour {
    Mapping mapping = Mapping::unknown;
    Filtering filtering = Filtering::unknown;
    bool operator==(const Behaviour&) const = default;
  };

  void begin(const Now& now);
  void open();
  void close();
  void ask(const Now& now, const Server& server, std::uint32_t tries, bool other_address = false,
           bool other_port = false);
  void send(const Now& now, Request& request);
  bool settled(Instant now) const;
  void next_phase(const Now& now);
  void conclude_mapping(const Now& now);
  void judge_filtering(const Now& now);
  void judge_control(const Now& now);
  void finish(const Now& now, std::optional<Behaviour> found);
  void note_answer(const Now& now, Request& request, const Endpoint& mapped, const Endpoint& source,
                   const std::optional<Endpoint>& other);
  std::uint32_t tries_against_chance() const;
  Nanos spacing() const;
  Server alternate(bool other_address, bool other_port) const;
  bool answered(bool other_address, bool other_port) const;

  RandomSource random_;
  std::vector<Action> actions_;
  std::vector<Server> servers_;
  bool allowed_ = false;
  PathState path_;
  FlowHandle next_flow_ = 1;
  FlowHandle flow_ = 0;  ///< 0: none is open
  Phase phase_ = Phase::idle;
  std::vector<Request> requests_;
  std::optional<Endpoint> local_;
  std::optional<Server> primary_;  ///< the server that offers another address and port
  Endpoint other_;
  std::vector<Sighting> sightings_;
  Behaviour seen_;  ///< by the survey under way
  Instant next_{};
  std::optional<Instant> ended_;  ///< the newest survey
  Behaviour known_;
  std::optional<Behaviour> candidate_;  ///< seen once, not yet confirmed
  std::uint32_t failures_ = 0;          ///< surveys in a row that showed nothing
  std::optional<Endpoint> mapped_;
  std::optional<Endpoint> discovery_server_;
};

}  // namespace ue::probe
