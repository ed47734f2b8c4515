#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/query_client.h"
#include "config/config.h"
#include "metrics/snapshot.h"
#include "probe/path_prober.h"
#include "uplink/binding.h"

namespace ue::agent {

/// A way to the reflector's query channel through another uplink.
struct Detour {
  uplink::Binding through;
  Endpoint reflector;
};

/// The far end's own word that it is there and listens to nobody.
struct FarEndRefusal {
  Instant at{};
  std::string how;  ///< "it refuses ..."
};

/// No measurements yet; the buckets are those of every round-trip time.
metrics::Histogram latency_histogram();

/// A path's questions over TCP: "what did you receive?", asked through its own uplink and then through the
/// others, of a STUN server only whether it answers. Believes what is signed with our key and answers this
/// very question. Owned by a Path, on the loop's thread.
class Questions : public std::enable_shared_from_this<Questions> {
 public:
  using Told = std::function<void(const Now&, const probe::AskOutcome&)>;

  Questions(boost::asio::io_context& loop, config::Protocol protocol, std::optional<probe::Identity> identity,
            std::function<std::vector<Detour>()> detours, Told told);

  /// From here on the sockets are others: what was asked before says nothing about them, and is not told.
  void open(const uplink::Binding& through, const Endpoint& reflector);
  void close();
  /// Returns at once; `told` is called once from the loop, unless open() or close() comes first.
  void ask(const probe::AskReflector& ask);

  std::optional<Instant> last_answer() const { return last_answer_; }  ///< through any uplink
  const std::optional<FarEndRefusal>& refusal() const { return refusal_; }
  bool answered_via_other() const { return answered_via_other_; }
  const std::string& fault() const { return fault_; }  ///< of the newest question; empty: none
  std::uint64_t connects() const { return connects_; }
  std::uint64_t connect_failures() const { return connect_failures_; }
  const metrics::Histogram& connect_times() const { return connect_times_; }

 private:
  struct Question {
    Instant asked{};
    std::string body;
    std::string authentication;
    std::array<std::uint8_t, 16> nonce{};
    std::vector<Detour> left;  ///< ways to try after this one
    bool own = true;
  };

  void ask_stun_server();
  void try_question(std::shared_ptr<Question> question, const Detour& way);
  void on_result(const std::shared_ptr<Question>& question, const QueryResult& result);
  void on_stun_result(Instant asked, const QueryResult& result);
  void count_connect(const QueryResult& result);
  std::optional<stamp::QueryAnswer> verified(const Question& question, const QueryResult& result);

  boost::asio::io_context& loop_;
  config::Protocol protocol_;
  std::optional<probe::Identity> identity_;
  std::function<std::vector<Detour>()> detours_;
  Told told_;
  std::optional<Detour> own_way_;
  std::uint32_t generation_ = 0;  ///< of sockets: answers to older questions are void

  std::optional<Instant> last_answer_;
  std::optional<FarEndRefusal> refusal_;
  std::string fault_;
  bool stun_over_tcp_ = false;  ///< the STUN server has answered over TCP before
  bool answered_via_other_ = false;
  std::uint64_t connects_ = 0;
  std::uint64_t connect_failures_ = 0;
  metrics::Histogram connect_times_;
};

}  // namespace ue::agent
