#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "web/gate.h"
#include "web/kitchen.h"
#include "web/live_config.h"
#include "web/router.h"

class CivetServer;

namespace ue::web {

/// The HTTP server of both programs: metrics, a page, health and reload, on threads of its own (civetweb's).
/// main/ owns it and destroys it before whatever the Site's functions read. It serves no files, parses no
/// forms and keeps no connection: civetweb's known holes are in those.
class Server {
 public:
  /// A client that has begun to ask and goes on slowly holds a thread for the time-out: 500 of them keep the
  /// next one waiting for 9.4 s, which is within Prometheus' scrape time-out of 10 s. A thread that stands by
  /// costs 25 KiB.
  static constexpr int kThreads = 56;
  static constexpr int kRequestTimeoutMs = 1'050;  ///< for a handshake, a request, each piece of an answer
  static constexpr int kAnswerTimeoutMs = 30'000;  ///< for the whole of an answer
  static constexpr int kMaxRequestBytes = 8'192;   ///< request line and headers
  static constexpr int kBacklog = 1'024;           ///< connections that wait for a thread

  /// Listens and answers from here on, or says which address failed, why, and what helps. `web_config` is the
  /// file of --web.config.file; empty: plain HTTP for everybody.
  static Result<std::unique_ptr<Server>> start(const std::vector<std::string>& listen, Site site,
                                               const std::string& web_config = "");
  /// What start() would say of a file of --web.config.file.
  static Result<std::monostate> check(const std::string& web_config);
  ~Server();  ///< waits for requests under way, a few seconds where clients stall
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The bound ports in the order of the addresses; where 0 was asked for, what the kernel chose.
  std::vector<int> ports() const;

 private:
  friend struct Requests;
  Server(Site site, std::unique_ptr<LiveConfig> config);

  const std::string program_;
  std::unique_ptr<LiveConfig> config_;
  Gate gate_;
  Router router_;
  Kitchen kitchen_;
  std::vector<Endpoint> bound_;
  std::unique_ptr<CivetServer> civet_;
};

}  // namespace ue::web
