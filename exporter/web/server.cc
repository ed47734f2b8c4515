#include "web/server.h"

#include <CivetServer.h>
#include <openssl/ssl.h>

#include <chrono>
#include <ctime>
#include <future>
#include <system_error>

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

bool send(mg_connection* conn, std::string_view out) {
  constexpr std::size_t kPiece = 64 * 1024;
  const auto give_up = read_clocks().mono + std::chrono::milliseconds(Server::kAnswerTimeoutMs);
  while (!out.empty()) {
    const auto piece = out.substr(0, kPiece);
    if (mg_write(conn, piece.data(), piece.size()) != static_cast<int>(piece.size())) return false;
    out.remove_prefix(piece.size());
    // civetweb's own time-out begins anew with each octet that is taken.
    if (!out.empty() && read_clocks().mono > give_up) return false;
  }
  return true;
}

std::string_view header(mg_connection* conn, const char* name) {
  const char* value = mg_get_header(conn, name);
  return value == nullptr ? "" : value;
}

}  // namespace

/// What civetweb calls on its threads.
struct Requests {
  static Server& server(mg_connection* conn) {
    const auto* civet = static_cast<const CivetServer*>(mg_get_user_data(mg_get_context(conn)));
    return *static_cast<Server*>(const_cast<void*>(civet->getUserContext()));
  }

  static std::string octets(const LiveConfig::State& state, const Response& response, bool with_body) {
    return to_http(response, state.config.headers, with_body, std::time(nullptr));
  }

  static void answer(mg_connection* conn, std::string_view octets) {
    // Else civetweb reads the rest of the request's body first, however slowly it comes.
    mg_disable_connection_keep_alive(conn);
    (void)send(conn, octets);
  }

  /// Every request comes here before civetweb looks for handlers, files or scripts, and never gets further.
  static int on_request(mg_connection* conn) {
    Server& s = server(conn);
    const auto state = s.config_->current();
    const mg_request_info* request = mg_get_request_info(conn);
    const std::string_view method = request->request_method;
    const std::string_view path = request->local_uri == nullptr ? "" : request->local_uri;
    auto refused =
        s.gate_.refuse(state->config, s.program_, header(conn, "Authorization"), read_clocks().mono);
    int status = 0;
    std::string out;
    const auto respond = [&] {
      const auto response = refused ? std::move(*refused) : s.router_.respond(method, path);
      status = response.status;
      out = octets(*state, response, method != "HEAD");
    };
    // What changes something may wait for the loop.
    if (refused || !(method == "GET" || method == "HEAD")) {
      respond();
    } else {
      s.kitchen_.run(respond);
    }
    answer(conn, out);
    return status;
  }

  /// Requests that civetweb refuses before they are one: malformed, too long, too late. Its own answer lacks
  /// our headers and takes its date from gmtime(), which is not for threads.
  static int on_error(mg_connection* conn, int status, const char*) {
    answer(conn,
           octets(*server(conn).config_->current(),
                  {.status = status, .body = fmt::format("{} {}\n", status, reason_phrase(status))}, true));
    return 0;  // handled
  }

  static int on_client_hello(SSL* handshake, int*, void* config) {
    const auto state = static_cast<LiveConfig*>(config)->current();
    return state->tls && state->tls->apply_to(handshake) ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
  }

  /// civetweb asks for the context of all handshakes; each becomes one of the newest certificate's. It asks
  /// again, with the context in hand, before it ends.
  static int on_ssl_context(void** context, void* user) {
    if (*context != nullptr) {
      SSL_CTX_free(static_cast<SSL_CTX*>(*context));
      return 1;
    }
    auto* made = SSL_CTX_new(TLS_server_method());
    if (made == nullptr) return -1;
    const auto* civet = static_cast<const CivetServer*>(user);
    auto& s = *static_cast<Server*>(const_cast<void*>(civet->getUserContext()));
    SSL_CTX_set_client_hello_cb(made, on_client_hello, s.config_.get());
    SSL_CTX_set_min_proto_version(made, TLS1_VERSION);
    // Nothing is resumed: who was let in by a certificate is asked for it again.
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(made, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    *context = made;
    return 1;
  }
};

namespace {

Result<std::unique_ptr<LiveConfig>> open_config(const std::string& path) {
  auto config = LiveConfig::open(path);
  return config ? std::move(config) : Error{"--web.config.file: " + config.error()};
}

std::vector<std::string> options(const std::vector<Endpoint>& endpoints, bool tls) {
  std::string listening;
  for (const auto& endpoint : endpoints) {
    if (!listening.empty()) listening += ',';
    listening += endpoint.to_string() + (tls ? "s" : "");
  }
  return {"listening_ports",    listening,
          "num_threads",        std::to_string(Server::kThreads),
          "request_timeout_ms", std::to_string(Server::kRequestTimeoutMs),
          "max_request_size",   std::to_string(Server::kMaxRequestBytes),
          "listen_backlog",     std::to_string(Server::kBacklog),
          "connection_queue",   std::to_string(Server::kThreads),
          "enable_keep_alive",  "no"};
}

}  // namespace

Result<std::monostate> Server::check(const std::string& web_config) {
  const auto config = open_config(web_config);
  if (!config) return Error{config.error()};
  return std::monostate{};
}

Result<std::unique_ptr<Server>> Server::start(const std::vector<std::string>& listen, Site site,
                                              const std::string& web_config) {
  const auto endpoints = parse_listen_addresses(listen, mg_check_feature(kFeatureIpv6) != 0);
  if (!endpoints) return Error{endpoints.error()};
  if (const auto fine = Router::check(site); !fine) return Error{fine.error()};

  auto config = open_config(web_config);
  if (!config) return Error{config.error()};
  const bool tls = (*config)->current()->tls != nullptr;
  if (tls) {
    if (const auto loaded = load_openssl_names(); !loaded) return Error{loaded.error()};
  }

  std::unique_ptr<Server> server(new Server(std::move(site), std::move(*config)));
  CivetCallbacks callbacks;
  callbacks.begin_request = Requests::on_request;
  callbacks.http_error = Requests::on_error;
  if (tls) callbacks.external_ssl_ctx = Requests::on_ssl_context;
  callbacks.log_message = on_log;
  std::string messages;
  startup_messages = &messages;
  try {
    server->civet_ = std::make_unique<CivetServer>(options(*endpoints, tls), &callbacks, server.get());
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
  defer_accept(server->bound_);
  return server;
}

namespace {

/// A reload is of both files: where the web's own is bad, that is said, too.
Site with_web_config(Site site, LiveConfig& config) {
  if (!site.reload) return site;
  site.reload = [reload = std::move(site.reload), &config](Nanos deadline) -> Result<std::monostate> {
    auto done = reload(deadline);
    if (const auto fault = config.fault(); done && !fault.empty()) return Error{fault};
    return done;
  };
  return site;
}

}  // namespace

Server::Server(Site site, std::unique_ptr<LiveConfig> config)
    : program_(site.program),
      config_(std::move(config)),
      router_(with_web_config(std::move(site), *config_)) {}
Server::~Server() {
  if (!civet_) return;
  std::future<void> closed;
  try {
    closed = std::async(std::launch::async, [this] { civet_->close(); });
  } catch (const std::system_error&) {  // no further thread is allowed: it takes two seconds longer
    civet_->close();
    return;
  }
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
