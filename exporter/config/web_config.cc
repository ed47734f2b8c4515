#include "config/web_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "config/fields.h"
#include "config/file.h"
#include "config/yaml_reader.h"

namespace ue::config {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxUsers = 100;

int read_tls_version(const Value& v) {
  static constexpr std::array<std::string_view, 4> kNames{"TLS10", "TLS11", "TLS12", "TLS13"};
  return 0x0301 + static_cast<int>(v.one_of(kNames));
}

ClientAuth read_client_auth(const Value& v) {
  static constexpr std::array<std::string_view, 5> kNames{"NoClientCert", "RequestClientCert",
                                                          "RequireAnyClientCert", "VerifyClientCertIfGiven",
                                                          "RequireAndVerifyClientCert"};
  return static_cast<ClientAuth>(v.one_of(kNames));
}

std::vector<std::string> read_texts(const Value& v, std::string_view expected) {
  std::vector<std::string> out;
  for (const Value& item : v.items("a list")) out.push_back(item.text(expected));
  return out;
}

/// Go's names of what it can do, to OpenSSL's.
std::vector<std::string> read_curves(const Value& v) {
  static constexpr std::array<std::string_view, 4> kNames{"CurveP256", "CurveP384", "CurveP521", "X25519"};
  static constexpr std::array<const char*, 4> kOpenssl{"P-256", "P-384", "P-521", "X25519"};
  std::vector<std::string> out;
  for (const Value& item : v.items("a list")) out.emplace_back(kOpenssl[item.one_of(kNames)]);
  return out;
}

/// A name that is wrong is told here, and one that this OpenSSL lacks when the server starts.
std::vector<std::string> read_cipher_suites(const Value& v) {
  auto suites = read_texts(v, "a cipher suite such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  for (std::size_t i = 0; i < suites.size(); ++i) {
    if (!suites[i].starts_with("TLS_"))
      v.item(i).fail_expected("a cipher suite such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  }
  return suites;
}

/// Keys of `tls_server_config`.
// clang-format off
constexpr Setting<WebTls> kTlsKeys[] = {
    {"cert_file", kRequired, "the certificate (PEM), with those that it is signed by", [](const Value& v, WebTls& t) { t.cert_file = read_path(v); }},
    {"key_file", kRequired, "its key (PEM)", [](const Value& v, WebTls& t) { t.key_file = read_path(v); }},
    {"client_auth_type", "`NoClientCert`", "or `RequestClientCert`, `RequireAnyClientCert`, `VerifyClientCertIfGiven`, `RequireAndVerifyClientCert`", [](const Value& v, WebTls& t) { t.client_auth = read_client_auth(v); }},
    {"client_ca_file", "none", "who signs the certificates of clients (PEM)", [](const Value& v, WebTls& t) { t.client_ca_file = read_path(v); }},
    {"client_allowed_sans", "all", "names, addresses or URIs, of which a client's certificate must have one", [](const Value& v, WebTls& t) { t.client_allowed_sans = read_texts(v, "a name, an address or a URI"); }},
    {"min_version", "`TLS12`", "`TLS10`, `TLS11`, `TLS12` or `TLS13`", [](const Value& v, WebTls& t) { t.min_version = read_tls_version(v); }},
    {"max_version", "`TLS13`", "likewise", [](const Value& v, WebTls& t) { t.max_version = read_tls_version(v); }},
    {"cipher_suites", "OpenSSL's", "names as Go has them, of TLS 1.2 and before", [](const Value& v, WebTls& t) { t.cipher_suites = read_cipher_suites(v); }},
    {"prefer_server_cipher_suites", "`true`", "the order is the server's", [](const Value& v, WebTls& t) { t.prefer_server_cipher_suites = v.boolean(); }},
    {"curve_preferences", "OpenSSL's", "`CurveP256`, `CurveP384`, `CurveP521`, `X25519`", [](const Value& v, WebTls& t) { t.curves = read_curves(v); }},
};
// clang-format on

WebTls read_tls(const Value& v) {
  WebTls t = read_map<WebTls>(v, kTlsKeys);
  const bool verifies =
      t.client_auth == ClientAuth::verify_if_given || t.client_auth == ClientAuth::require_and_verify;
  if (!t.client_ca_file.empty() && t.client_auth == ClientAuth::none) {
    v.find("client_ca_file")
        ->fail(
            "nobody is asked for a certificate: set client_auth_type: RequireAndVerifyClientCert beside it");
  } else if (t.client_ca_file.empty() && verifies) {
    v.fail_missing("client_ca_file", "is missing: without it no client's certificate can be verified");
  }
  const bool requires_one =
      t.client_auth == ClientAuth::require_any || t.client_auth == ClientAuth::require_and_verify;
  if (!t.client_allowed_sans.empty() && !requires_one) {
    v.find("client_allowed_sans")
        ->fail("needs client_auth_type: RequireAndVerifyClientCert (or RequireAnyClientCert) beside it");
  }
  if (t.min_version > t.max_version) v.find("min_version")->fail("expected at most max_version");
  return t;
}

/// Those that the toolkit takes; a value that would end the header early is no text to begin with.
void read_header(const Value& v, WebConfig& c) {
  static constexpr std::array<std::string_view, 5> kNames{"Content-Security-Policy", "X-Frame-Options",
                                                          "X-Content-Type-Options", "X-XSS-Protection",
                                                          "Strict-Transport-Security"};
  if (std::find(kNames.begin(), kNames.end(), v.key()) == kNames.end()) return report_unknown_key(v, kNames);
  if (v.is_scalar() ? v.raw().empty() : v.is_null()) {
    c.headers[v.key()] = "";
    return;
  }
  std::string text = v.text("a header's value, or \"\" to leave it out");
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
  if (v.key() == "X-Frame-Options" && lower != "deny" && lower != "sameorigin")
    v.fail_expected("deny or sameorigin");
  if (v.key() == "X-Content-Type-Options" && lower != "nosniff") v.fail_expected("nosniff");
  c.headers[v.key()] = std::move(text);
}

void read_headers(const Value& v, WebConfig& c) {
  for (const Value& entry : v.entries()) read_header(entry, c);
}

/// Keys of `http_server_config`.
// clang-format off
constexpr Setting<WebConfig> kHttpKeys[] = {
    {"http2", "`true`", "accepted, and changes nothing: HTTP/1.1 is spoken", [](const Value& v, WebConfig&) { (void)v.boolean(); }},
    {"headers", "none", "of every answer: `Content-Security-Policy`, `X-Frame-Options`, `X-Content-Type-Options`, `X-XSS-Protection`, `Strict-Transport-Security`", read_headers},
};
// clang-format on

/// "$2y$10$" and 53 characters: crypt(5).
bool is_bcrypt(std::string_view hash) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return hash.size() == 60 && hash.starts_with("$2") &&
         std::string_view("abxy").find(hash[2]) != std::string_view::npos && hash[3] == '$' &&
         digit(hash[4]) && digit(hash[5]) && hash[6] == '$' &&
         std::all_of(hash.begin() + 7, hash.end(), [&](char c) {
           return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
         });
}

void read_user(const Value& v, WebConfig& c) {
  constexpr std::string_view kExpected =
      "a bcrypt hash of the password (make one with: htpasswd -nBC 10 NAME)";
  // Never shown, not even where it is wrong: it may be the password itself.
  const std::string& hash = v.raw();
  if (!is_bcrypt(hash)) return v.fail(fmt::format("expected {}", kExpected));
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < 4 || cost > 15) return v.fail(fmt::format("expected a cost from 4 to 15, found {}", cost));
  if (v.key().find(':') != std::string::npos) return v.fail_key("a name has no colon (RFC 7617)");
  c.users[v.key()] = hash;
}

void read_users(const Value& v, WebConfig& c) {
  for (const Value& entry : v.entries()) read_user(entry, c);
  if (c.users.size() > kMaxUsers) v.fail(fmt::format("expected at most {} users", kMaxUsers));
}

/// Keys of `rate_limit`.
// clang-format off
constexpr Setting<WebConfig> kRateKeys[] = {
    {"interval", kRequired, "between two requests in the long run; `0s`: no limit", [](const Value& v, WebConfig& c) { c.rate_interval = v.duration(0ns, 1h); }},
    {"burst", "`0`", "so many may come at once", [](const Value& v, WebConfig& c) { c.rate_burst = static_cast<std::uint32_t>(v.integer(0, 1'000'000)); }},
};
// clang-format on

void read_rate(const Value& v, WebConfig& c) {
  c = read_map<WebConfig>(v, kRateKeys, std::move(c));
  if (c.rate_interval > Nanos::zero() && c.rate_burst == 0)
    v.fail_missing("burst", "is missing or 0: with that not one request would be let in");
}

/// Keys of the file.
// clang-format off
constexpr Setting<WebConfig> kWebKeys[] = {
    {"tls_server_config", "plain HTTP", "TLS; a renewed certificate is in force at once", [](const Value& v, WebConfig& c) { c.tls = read_tls(v); }},
    {"http_server_config", "none", "headers", [](const Value& v, WebConfig& c) { c = read_map<WebConfig>(v, kHttpKeys, std::move(c)); }},
    {"basic_auth_users", "everybody", "name and bcrypt hash (`htpasswd -nBC 10 NAME`) of each person", read_users},
    {"rate_limit", "none", "of requests; who comes too often is answered 429", [](const Value& v, WebConfig& c) { read_rate(v, c); }},
};
// clang-format on

}  // namespace

Result<WebConfig> parse_web_config(std::string_view yaml, const std::string& file) {
  const auto tree = parse_yaml(yaml, file);
  if (!tree) return Error{tree.error()};
  Report report(file);
  WebConfig config = read_document<WebConfig>(Value(*tree, "", report), kWebKeys);
  if (report.first()) return *report.first();
  return config;
}

Result<WebConfig> load_web_config(const std::string& path) {
  const auto text = read_file(path, kMaxFileSize);
  if (!text) return Error{text.error()};
  auto config = parse_web_config(*text, path);
  if (config && config->tls) {
    for (auto* file : {&config->tls->cert_file, &config->tls->key_file, &config->tls->client_ca_file})
      *file = resolve_path(path, *file);
  }
  return config;
}

}  // namespace ue::config
