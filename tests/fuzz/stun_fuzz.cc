// STUN: attributes survive being written again, and only an answer to the very request is an answer.
#include <algorithm>

#include "require.h"
#include "stun/binding.h"

using namespace ue;
using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView message(data, size);
  const auto header = stun::parse_header(message);
  const auto id = header ? header->transaction_id : stun::TransactionId{};
  const auto response = stun::parse_binding_response(message, id);
  require(header || !response, "no answer without a header");
  if (response)
    require(response->mapped.has_value() != response->error.has_value(), "an address or an error");
  auto other = id;
  other[11] = static_cast<std::uint8_t>(other[11] ^ 1);
  require(!stun::parse_binding_response(message, other), "another transaction's answer is none");
  if (!header) return 0;

  require(header->length + stun::kHeaderSize == size, "the header's length is the datagram's");
  Bytes again = stun::begin_message(static_cast<stun::MessageType>(header->type), id);
  std::vector<stun::Attribute> seen;
  stun::AttributeReader reader(message);
  while (const auto attribute = reader.next()) {
    (void)stun::parse_address(attribute->value);
    (void)stun::parse_xor_address(attribute->value, id);
    if (attribute->value.size() > 763 || again.size() > 8192) return 0;  // append_attribute()'s bound
    seen.push_back(*attribute);
    stun::append_attribute(again, attribute->type, attribute->value);
  }
  require(stun::parse_header(again).has_value(), "a message that was written has a header");
  stun::AttributeReader second(again);
  for (const auto& expected : seen) {
    const auto attribute = second.next();
    require(attribute && attribute->type == expected.type, "the same attributes");
    require(std::equal(attribute->value.begin(), attribute->value.end(), expected.value.begin(),
                       expected.value.end()),
            "the same values");
  }
  require(!second.next() && !second.malformed(), "and no more");
  return 0;
}
