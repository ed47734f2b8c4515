// Built as libcrypto.so beside our programs, only to have that name without OpenSSL's -dev package; see
// web/tls.h.
