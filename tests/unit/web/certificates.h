#pragma once
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace ue::web {

/// A certificate and its key, good for a day, signed by itself or by another.
class Certificate {
 public:
  explicit Certificate(const std::string& name, const Certificate* signer = nullptr,
                       const std::string& san = "")
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    auto* c = certificate_.get();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial());
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 86400);
    X509_set_pubkey(c, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const Certificate& by = signer == nullptr ? *this : *signer;
    X509_set_issuer_name(c, X509_get_subject_name(by.certificate_.get()));
    if (signer == nullptr) add(NID_basic_constraints, "critical,CA:TRUE");
    if (!san.empty()) add(NID_subject_alt_name, san);
    X509_sign(c, by.key_.get(), EVP_sha256());
  }

  void write(const std::string& certificate, const std::string& key) const {
    if (auto* file = std::fopen(certificate.c_str(), "w")) {
      PEM_write_X509(file, certificate_.get());
      std::fclose(file);
    }
    if (auto* file = std::fopen(key.c_str(), "w")) {
      PEM_write_PrivateKey(file, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
      std::fclose(file);
    }
  }
  X509* x509() const { return certificate_.get(); }
  EVP_PKEY* key() const { return key_.get(); }

 private:
  static long& serial() {
    static long last = 0;
    return last;
  }
  void add(int kind, const std::string& value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

}  // namespace ue::web
