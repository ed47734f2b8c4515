// Built as libssl.so beside our programs; see web/tls.h.

/// OpenSSL 3 calls it SSL_get1_peer_certificate. civetweb asks after every handshake, to hand the certificate
/// to handlers of ours that do not look at it: what is demanded of clients is demanded in web/tls.cc.
extern "C" __attribute__((visibility("default"))) void* SSL_get_peer_certificate(const void*) {
  return nullptr;
}
