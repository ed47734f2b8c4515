#include "web/server.h"

#include <CivetServer.h>

#include <chrono>
#include <ctime>
#include <future>

#include <fmt/format.h>

#include "base/log.h"
#include "web/listen.h"

namespace ue::web {
namespace {

constexpr unsigned kFeatureIpv6 = 8;  // MG_FEATURES_IPV6

/// What civetweb said while it started, on the thread that started it; null afterwards and on web threads.
thread_local std::string* startup_messages = nullptr;

int on_log(const mg_connection*, const char* message) {
  if (startup_messages != nullptr) {
    if (!startup_messages->empty()) *startup_messages += "; ";
    *startup_messages += message;
  } else {
    log::debug("WEB_LIBRARY", "{}", message);  // clients can cause these at will
  }
  return 1;  // handled: civetweb would write to standard error
}

void send(mg_connection* conn, const Response& response, bool with_body) {
  const std::string out = to_http(response, with_body, std::time(nullptr));
  // Else civetweb reads the rest of the request's body first, however slowly it comes.
  mg_disable_connection_keep_alive(conn);
  mg_write(conn, out.data(), out.size());
}

/// Every request comes here before civetweb looks for handlers, files or scripts, and never gets further.
int on_request(mg_connection* conn) {
  const auto* civet = static_cast<const CivetServer*>(mg_get_user_data(mg_get_context(conn)));
  const auto* router = static_cast<const Router*>(civet->getUserContext());
  const mg_request_info* request = mg_get_request_info(conn);
  const std::string_view method = request->request_method;
  const std::string_view path = request->local_uri == nullptr ? "" : request->local_uri;
  const Response response = router->respond(method, path);
  send(conn, response, method != "HEAD");
  return response.status;
}

/// Requests that civetweb refuses before they are one: malformed, too long, too late. Its own answer lacks
/// our headers and takes its date from gmtime(), which is not for threads.
int on_error(mg_connection* conn, int status, const char*) {
  send(conn, {.status = status, .body = fmt::format("{} {}\n", status, reason_phrase(status))}, true);
  return 0;  // handled
}

std::vector<std::string> options(const std::vector<Endpoint>& endpoints) {
  std::string listening;
  for (const auto& endpoint : endpoints) {
    if (!listening.empty()) listening += ',';
    listening += endpoint.to_string();
  }
  return {"listening_ports",    listening,
          "num_threads",        std::to_string(Server::kThreads),
          "request_timeout_ms", std::to_string(Server::kRequestTimeoutMs),
          "max_request_size",   std::to_string(Server::kMaxRequestBytes),
          "enable_keep_alive",  "no"};
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const std::vector<std::string>& listen, Site site) {
  const auto endpoints = parse_listen_addresses(listen, mg_check_feature(kFeatureIpv6) != 0);
  if (!endpoints) return Error{endpoints.error()};
  if (const auto fine = Router::check(site); !fine) return Error{fine.error()};

  std::unique_ptr<Server> server(new Server(std::move(site)));
  CivetCallbacks callbacks;
  callbacks.begin_request = on_request;
  callbacks.http_error = on_error;
  callbacks.log_message = on_log;
  std::string messages;
  startup_messages = &messages;
  try {
    server->civet_ = std::make_unique<CivetServer>(options(*endpoints), &callbacks, &server->router_);
  } catch (const CivetException& e) {
    startup_messages = nullptr;
    for (const auto& endpoint : *endpoints) {
      if (auto why = why_not_bound(endpoint); !why.empty()) return Error{std::move(why)};
    }
    return Error{"the web server did not start: " + (messages.empty() ? e.what() : messages)};
  }
  startup_messages = nullptr;
  server->bound_ = *endpoints;
  const auto ports = server->civet_->getListeningPorts();
  for (std::size_t i = 0; i < server->bound_.size() && i < ports.size(); ++i) {
    server->bound_[i].port = static_cast<std::uint16_t>(ports[i]);
  }
  return server;
}

Server::Server(Site site) : router_(std::move(site)) {}
Server::~Server() {
  if (!civet_) return;
  auto closed = std::async(std::launch::async, [this] { civet_->close(); });
  do {
    touch(bound_.front());  // civetweb's listener looks whether to stop every 2 s, and after each connection
  } while (closed.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready);
}

std::vector<int> Server::ports() const {
  std::vector<int> out;
  for (const auto& endpoint : bound_) out.push_back(endpoint.port);
  return out;
}

}  // namespace ue::web
