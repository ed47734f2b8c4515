#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/flow_socket.h"
#include "agent/icmp_notes.h"
#include "agent/mode.h"
#include "agent/questions.h"
#include "config/config.h"
#include "metrics/snapshot.h"
#include "probe/hold_ladder.h"
#include "probe/localiser.h"
#include "probe/nat_survey.h"
#include "probe/path_prober.h"
#include "probe/size_check.h"
#include "verdict/judge.h"

namespace ue::agent {

/// The shell of one PathProber, its SizeCheck, its Localiser and, where the session is authenticated, its
/// HoldLadder: their sockets and its timer. Owned by an UplinkRunner, on the loop's thread. It measures; what
/// the path's silence means is judged by its owner, who sees the other paths too.
class Path : public std::enable_shared_from_this<Path> {
 public:
  Path(boost::asio::io_context& loop, std::string uplink, const config::Reflector& reflector, Mode mode,
       probe::Settings settings, std::optional<probe::HoldLadder::Settings> ladder,
       std::function<std::vector<Detour>()> detours);
  ~Path();

  /// Begins, or begins anew with other sockets where one of the two is another than before.
  void bind(const uplink::Binding& binding, const Endpoint& reflector);
  /// The machine slept or the clock is not to be trusted: sockets are rebuilt, the window is void.
  void rebuild();
  void stop();
  bool running() const { return binding_.has_value(); }

  /// Feeds what is known now to the judge, and takes its verdict's pace. Returns true where the verdict
  /// changed.
  bool judge(const Now& now, const verdict::Evidence& evidence);

  /// A STUN server: it answers, and says nothing of what it received.
  bool tells_nothing_else() const { return reflector_.protocol == config::Protocol::stun; }
  const std::string& reflector() const { return reflector_.name; }
  const std::optional<Endpoint>& endpoint() const { return endpoint_; }
  const verdict::Conclusion& conclusion() const { return conclusion_; }
  probe::Observation observe(Instant now) const { return prober_.observe(now); }

  const Questions& questions() const { return *questions_; }  ///< over TCP
  const IcmpNotes& icmp() const { return icmp_; }
  /// The newest word of the far end itself that nobody listens there, over TCP or by ICMP.
  std::optional<FarEndRefusal> refusal() const;
  /// Every packet is refused by this machine itself: no route, interface gone. Empty while sending works.
  const std::string& send_fault() const { return send_fault_; }
  /// The link was gone and is back: what could not be sent meanwhile is no fault of the machine.
  void forgive_send_fault() {
    send_fault_.clear();
    send_fault_since_.reset();
  }
  std::optional<Instant> send_fault_since() const { return send_fault_since_; }
  /// Of any kind, on any of its sockets.
  std::uint64_t datagrams_received() const { return datagrams_received_; }
  /// One of its open sockets has this port.
  bool has_port(std::uint16_t port) const;

  /// How long a stream's mapping survives silence; nothing while that is not measured.
  std::optional<probe::MappingLifetime::Bracket> stream_lifetime() const;

  /// Nothing is under way that could soon tell more than is known.
  bool settled(Instant now) const;
  /// A stream's mapping seems to be short, and that could still be chance.
  bool suspects() const {
    const auto stream = stream_lifetime();
    return working_ && stream && stream->upper && !ladder_->stream_known();
  }
  /// Replies come back, so that a missing one says something.
  bool working() const { return working_; }
  probe::PathState state(Instant now) const;
  /// Its far end, which can be asked how it sees us; nothing while the path is not bound.
  std::optional<probe::NatSurvey::Server> survey_server() const;
  const std::optional<Endpoint>& mapped_endpoint() const { return prober_.mapping().endpoint(); }
  /// Others need the room that the ladder's flows take. True while it has flows open all the same.
  bool hold_ladder_off(bool others_first);

  const probe::SizeCheck& size_check() const { return size_; }
  const probe::Localiser& localiser() const { return localiser_; }

  std::shared_ptr<const metrics::Path> snapshot(const Now& now,
                                                const std::optional<probe::TrackerTimeouts>& own) const;

 private:
  struct OpenFlow {
    std::unique_ptr<FlowSocket> socket;
    std::deque<std::pair<std::uint32_t, std::uint32_t>>
        sent;  ///< (transmit timestamp id, sequence), newest last
  };

  void run_actions();
  void run(std::vector<probe::Action> actions);
  void advance(const Now& now);
  void restart();
  void let_others(const Now& now, bool working);
  void open_flow(const probe::OpenFlow& flow);
  void run_actions_soon();
  void send_probe(const probe::SendProbe& probe);
  void on_error(probe::FlowHandle handle, const uplink::SocketError& error);
  void on_icmp(probe::FlowHandle handle, const uplink::IcmpError& error);
  void on_asked(const Now& now, const probe::AskOutcome& outcome);
  bool answers(Instant now) const;
  void localise(const Now& now, const verdict::Facts& facts);
  void note_too_big(probe::FlowHandle handle, std::uint32_t mtu);
  void arm_timer();

  boost::asio::io_context& loop_;
  std::string uplink_;
  config::Reflector reflector_;
  Mode mode_;
  std::optional<probe::Identity> identity_;
  probe::SizeCheck size_;
  probe::Localiser localiser_;
  probe::PathProber prober_;
  std::optional<probe::HoldLadder> ladder_;
  Nanos keepalive_ = probe::PathState().keepalive;
  verdict::Judge judge_;
  verdict::Conclusion conclusion_;
  boost::asio::steady_timer timer_;
  std::optional<uplink::Binding> binding_;
  std::optional<Endpoint> endpoint_;
  std::map<probe::FlowHandle, OpenFlow> flows_;

  std::shared_ptr<Questions> questions_;
  IcmpNotes icmp_;
  bool working_ = false;
  std::string send_fault_;
  std::optional<Instant> send_fault_since_;
  std::uint64_t datagrams_received_ = 0;
  std::optional<Hops> known_way_;  ///< as last logged
};

}  // namespace ue::agent
