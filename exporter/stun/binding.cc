#include "stun/binding.h"

namespace ue::stun {

namespace {

/// Attributes below 0x8000 that an answer may carry and that a client without credentials can leave unread:
/// those of RFC 3489 (0x0001-0x000B), REALM, NONCE, and PADDING and RESPONSE-PORT of RFC 5780.
bool may_be_left_unread(std::uint16_t type) {
  return (type >= 0x0001 && type <= 0x000B) || type == 0x0014 || type == 0x0015 || type == 0x0026 ||
         type == 0x0027;
}

std::optional<BindingError> parse_error_code(ByteView value) {
  if (value.size() < 4) return std::nullopt;
  const int error_class = value[2] & 7;
  const int number = value[3];
  if (error_class < 3 || error_class > 6 || number > 99) return std::nullopt;
  return BindingError{error_class * 100 + number, std::string(value.begin() + 4, value.end())};
}

/// Where an attribute appears twice only the first counts (RFC 8489 §14).
void set_once(std::optional<Endpoint>& target, std::optional<Endpoint> parsed) {
  if (!target) target = parsed;
}

}  // namespace

Bytes encode_binding_request(const TransactionId& id, const ResponseWanted& response) {
  constexpr std::uint32_t kChangeAddress = 4;  // RFC 5780 §7.2
  constexpr std::uint32_t kChangePort = 2;
  auto message = begin_message(MessageType::binding_request, id);
  std::array<std::uint8_t, 4> value{};
  if (response.other_address || response.other_port) {
    put_u32(value.data(),
            (response.other_address ? kChangeAddress : 0) | (response.other_port ? kChangePort : 0));
    append_attribute(message, static_cast<std::uint16_t>(AttributeType::change_request), value);
  }
  if (response.to_port) {
    value = {};
    put_u16(value.data(), *response.to_port);
    append_attribute(message, static_cast<std::uint16_t>(AttributeType::response_port), value);
  }
  return message;
}

std::optional<BindingResponse> parse_binding_response(ByteView datagram, const TransactionId& id) {
  const auto header = parse_header(datagram);
  if (!header || header->transaction_id != id) return std::nullopt;
  const bool success = header->type == static_cast<std::uint16_t>(MessageType::binding_success);
  if (!success && header->type != static_cast<std::uint16_t>(MessageType::binding_error)) return std::nullopt;

  BindingResponse response;
  std::optional<Endpoint> plain_mapped;
  AttributeReader reader(datagram);
  bool sealed = false;  // what follows MESSAGE-INTEGRITY is not covered by it and is ignored (RFC 8489 §14.5)
  while (const auto attribute = reader.next()) {
    if (sealed) continue;
    if (attribute->is(AttributeType::xor_mapped_address)) {
      set_once(response.mapped, parse_xor_address(attribute->value, id));
    } else if (attribute->is(AttributeType::mapped_address)) {
      set_once(plain_mapped, parse_address(attribute->value));
    } else if (attribute->is(AttributeType::response_origin)) {
      set_once(response.response_origin, parse_address(attribute->value));
    } else if (attribute->is(AttributeType::other_address)) {
      set_once(response.other_address, parse_address(attribute->value));
    } else if (attribute->is(AttributeType::error_code)) {
      if (!response.error) response.error = parse_error_code(attribute->value);
    } else if (attribute->is(AttributeType::message_integrity) ||
               attribute->is(AttributeType::message_integrity_sha256)) {
      sealed = true;
    } else if (attribute->comprehension_required() && !may_be_left_unread(attribute->type)) {
      return std::nullopt;
    }
  }
  if (reader.malformed()) return std::nullopt;
  if (!success) {
    response.mapped.reset();
    if (!response.error) return std::nullopt;
    return response;
  }
  response.error.reset();
  response.xor_mapped = response.mapped.has_value();
  if (!response.mapped) response.mapped = plain_mapped;
  if (!response.mapped) return std::nullopt;
  return response;
}

}  // namespace ue::stun
