#include "web/tls.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

#include "base/address.h"

namespace ue::web {

namespace {

std::string openssl_reason() {
  const auto code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

/// A subject alternative name as the configuration writes it; "" for kinds that it does not speak of.
std::string san_text(const GENERAL_NAME& name) {
  int kind = 0;
  const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(&name, &kind));
  if (kind != GEN_DNS && kind != GEN_EMAIL && kind != GEN_URI && kind != GEN_IPADD) return {};
  const auto* data = ASN1_STRING_get0_data(value);
  const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
  if (kind != GEN_IPADD) return {reinterpret_cast<const char*>(data), size};
  std::array<std::uint8_t, 16> octets{};
  std::copy_n(data, std::min(size, octets.size()), octets.begin());
  if (size == 4)
    return IpAddress::v4(std::uint32_t{octets[0]} << 24 | std::uint32_t{octets[1]} << 16 |
                         std::uint32_t{octets[2]} << 8 | octets[3])
        .to_string();
  return size == 16 ? IpAddress::v6(octets).to_string() : "";
}

bool has_san_of(X509* certificate, const std::vector<std::string>& allowed) {
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool found = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto text = san_text(*sk_GENERAL_NAME_value(names, i));
    found = found || (!text.empty() && std::find(allowed.begin(), allowed.end(), text) != allowed.end());
  }
  GENERAL_NAMES_free(names);
  return found;
}

/// The Tls that a handshake was made one of, of which the certificate is being looked at.
const Tls& tls_of(X509_STORE_CTX* store) {
  const auto* handshake =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  return *static_cast<const Tls*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(handshake)));
}

bool san_allows(X509_STORE_CTX* store) {
  const auto& allowed = tls_of(store).allowed_sans();
  if (allowed.empty() || X509_STORE_CTX_get_error_depth(store) != 0) return true;
  if (has_san_of(X509_STORE_CTX_get_current_cert(store), allowed)) return true;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return false;
}

int on_verified(int good, X509_STORE_CTX* store) { return good == 1 && san_allows(store) ? 1 : 0; }
/// Where any certificate will do, it is not even looked at but for its names.
int on_any(int, X509_STORE_CTX* store) { return san_allows(store) ? 1 : 0; }

int verify_mode(config::ClientAuth auth) {
  switch (auth) {
    case config::ClientAuth::none:
      return SSL_VERIFY_NONE;
    case config::ClientAuth::request:
    case config::ClientAuth::verify_if_given:
      return SSL_VERIFY_PEER;
    default:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
}

bool verifies(config::ClientAuth auth) {
  return auth == config::ClientAuth::verify_if_given || auth == config::ClientAuth::require_and_verify;
}

Error broken(std::string_view key, const std::string& file) {
  return Error{fmt::format("tls_server_config.{}: {}: {}", key, file, openssl_reason())};
}

}  // namespace

void Tls::Free::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<std::shared_ptr<const Tls>> Tls::load(const config::WebTls& wanted) {
  auto tls = std::make_shared<Tls>();
  tls->wanted_ = wanted;
  tls->context_.reset(SSL_CTX_new(TLS_server_method()));
  auto* context = tls->context_.get();
  if (context == nullptr) return Error{"no TLS context: " + openssl_reason()};
  SSL_CTX_set_app_data(context, tls.get());
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, wanted.cert_file.c_str()) != 1)
    return broken("cert_file", wanted.cert_file);
  if (SSL_CTX_use_PrivateKey_file(context, wanted.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return broken("key_file", wanted.key_file);
  if (SSL_CTX_check_private_key(context) != 1)
    return Error{fmt::format("tls_server_config.key_file: {} is not the key of {}: {}", wanted.key_file,
                             wanted.cert_file, openssl_reason())};
  if (!wanted.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(context, wanted.client_ca_file.c_str(), nullptr) != 1)
      return broken("client_ca_file", wanted.client_ca_file);
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(wanted.client_ca_file.c_str()));
  }
  std::vector<std::string> ciphers;
  for (const auto& suite : wanted.cipher_suites) {
    const std::string name = OPENSSL_cipher_name(suite.c_str());
    if (name == "(NONE)")
      return Error{fmt::format("tls_server_config.cipher_suites: OpenSSL knows no {}", suite)};
    ciphers.push_back(name);
  }
  tls->ciphers_ = fmt::format("{}", fmt::join(ciphers, ":"));
  tls->groups_ = fmt::format("{}", fmt::join(wanted.curves, ":"));
  if (!ciphers.empty() && SSL_CTX_set_cipher_list(context, tls->ciphers_.c_str()) != 1)
    return broken("cipher_suites", tls->ciphers_);
  return std::shared_ptr<const Tls>(tls);
}

bool Tls::apply_to(ssl_st* handshake) const {
  auto* context = context_.get();
  if (SSL_set_SSL_CTX(handshake, context) == nullptr) return false;
  SSL_set_verify(handshake, verify_mode(wanted_.client_auth),
                 verifies(wanted_.client_auth) ? on_verified : on_any);
  if (SSL_set1_verify_cert_store(handshake, SSL_CTX_get_cert_store(context)) != 1) return false;
  if (const auto* names = SSL_CTX_get_client_CA_list(context); names != nullptr)
    SSL_set_client_CA_list(handshake, SSL_dup_CA_list(names));
  SSL_clear_options(handshake, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (wanted_.prefer_server_cipher_suites) SSL_set_options(handshake, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // OpenSSL 3 does no TLS before 1.2 at Debian's security level; who asks for it by name shall have it.
  if (wanted_.min_version < TLS1_2_VERSION) SSL_set_security_level(handshake, 0);
  return SSL_set_min_proto_version(handshake, wanted_.min_version) == 1 &&
         SSL_set_max_proto_version(handshake, wanted_.max_version) == 1 &&
         (ciphers_.empty() || SSL_set_cipher_list(handshake, ciphers_.c_str()) == 1) &&
         (groups_.empty() || SSL_set1_groups_list(handshake, groups_.c_str()) == 1);
}

Result<std::monostate> load_openssl_names() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return Error{"TLS: /proc/self/exe cannot be read: " + error.message()};
  const auto beside = program.parent_path().parent_path() / "lib" / "uplink_exporter" / "openssl";
  for (const char* name : {"libcrypto.so", "libssl.so"}) {
    const auto path = beside / name;
    // Never unloaded. Local: nobody else is to find these names.
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr)
      return Error{
          fmt::format("TLS needs {}, which is installed with the program: {}", path.string(), dlerror())};
  }
  return std::monostate{};
}

}  // namespace ue::web
