#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// The file of --web.config.file, in the format of Prometheus' exporter-toolkit (its web-configuration.md),
/// as plain values. As with the other configurations, what the parser returns is complete and consistent.
namespace ue::config {

/// Go's tls.ClientAuthType, by the names of which the file speaks.
enum class ClientAuth { none, request, require_any, verify_if_given, require_and_verify };

struct WebTls {
  std::string cert_file;  ///< PEM, the server's own certificate first
  std::string key_file;
  ClientAuth client_auth = ClientAuth::none;
  std::string client_ca_file;                    ///< PEM; empty: none
  std::vector<std::string> client_allowed_sans;  ///< one of them must be in the client's certificate
  int min_version = 0x0303;                      ///< as on the wire: TLS 1.2
  int max_version = 0x0304;
  std::vector<std::string>
      cipher_suites;  ///< up to TLS 1.2, by their IANA names; empty: OpenSSL's own choice
  bool prefer_server_cipher_suites = true;
  std::vector<std::string> curves;  ///< by OpenSSL's names; empty: its own choice
  bool operator==(const WebTls&) const = default;
};

struct WebConfig {
  std::optional<WebTls> tls;                   ///< absent: plain HTTP
  std::map<std::string, std::string> users;    ///< name -> bcrypt hash; empty: nobody is asked
  std::map<std::string, std::string> headers;  ///< in place of ours of the same name; "" leaves it out
  Nanos rate_interval{};                       ///< a request more is let in each; 0: all are
  std::uint32_t rate_burst = 0;
  bool operator==(const WebConfig&) const = default;
};

/// `file` is only the name that errors begin with. http2 is accepted and changes nothing: HTTP/1.1 is served.
Result<WebConfig> parse_web_config(std::string_view yaml, const std::string& file);
/// Reads the file first. Relative paths in it are taken from its own directory.
Result<WebConfig> load_web_config(const std::string& path);

}  // namespace ue::config
