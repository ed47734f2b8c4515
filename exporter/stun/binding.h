#pragma once
#include <optional>
#include <string>

#include "stun/message.h"

/// The Binding method (RFC 8489 §3), from the client's side, with what RFC 5780 servers add to their answers.
namespace ue::stun {

/// What a request asks of an RFC 5780 server beside the mapped address.
struct ResponseWanted {
  bool other_address = false;            ///< CHANGE-REQUEST: the answer is to come from its other address,
  bool other_port = false;               ///< from its other port
  std::optional<std::uint16_t> to_port;  ///< RESPONSE-PORT: the answer is to go to this port of our address
};

/// A Binding Request: 20 octets without attributes.
Bytes encode_binding_request(const TransactionId& id, const ResponseWanted& response = {});

struct BindingError {
  int code = 0;        ///< 300-699
  std::string reason;  ///< as the server wrote it: not to be trusted as text
};

/// Either `mapped` or `error` is there.
struct BindingResponse {
  std::optional<Endpoint> mapped;  ///< our address and port as the server sees them
  bool xor_mapped = false;  ///< not from MAPPED-ADDRESS, which some NATs rewrite in passing (RFC 8489 §14.2)
  std::optional<Endpoint> response_origin;  ///< where the server says that it answers from
  std::optional<Endpoint> other_address;    ///< its other address and port: the server can do RFC 5780
  std::optional<BindingError> error;
};

/// Nothing for what is no answer to this very request: another transaction, another method, a malformed
/// message, a success without a mapped address, or an attribute that must be understood and is not (RFC 8489
/// §6.3.3).
std::optional<BindingResponse> parse_binding_response(ByteView datagram, const TransactionId& id);

}  // namespace ue::stun
