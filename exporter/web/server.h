#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "web/router.h"

class CivetServer;

namespace ue::web {

/// The HTTP server of both programs: metrics, a page, health and reload, on threads of its own (civetweb's).
/// main/ owns it and destroys it before whatever the Site's functions read. It serves no files, parses no
/// forms and keeps no connection: civetweb's known holes are in those.
class Server {
 public:
  static constexpr int kThreads = 16;              ///< one slow client holds one
  static constexpr int kRequestTimeoutMs = 5'000;  ///< below Prometheus' scrape timeout of 10 s
  static constexpr int kMaxRequestBytes = 8'192;   ///< request line and headers

  /// Listens and answers from here on, or says which address failed, why, and what helps.
  static Result<std::unique_ptr<Server>> start(const std::vector<std::string>& listen, Site site);
  ~Server();  ///< waits for requests under way, a few seconds where clients stall
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The bound ports in the order of the addresses; where 0 was asked for, what the kernel chose.
  std::vector<int> ports() const;

 private:
  explicit Server(Site site);

  Router router_;
  std::vector<Endpoint> bound_;
  std::unique_ptr<CivetServer> civet_;
};

}  // namespace ue::web
