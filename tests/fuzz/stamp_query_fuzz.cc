// Query channel bodies: what parses is written and read again unchanged, within the channel's bounds.
#include "require.h"
#include "stamp/query.h"

using namespace ue;
using fuzz::require;

namespace {

template <typename Parse>
void round_trip(std::string_view body, Parse parse) {
  const auto message = parse(body);
  if (!message) {
    require(!message.error().empty(), "a refusal says why");
    return;
  }
  require(body.size() <= stamp::kMaxBody, "an over-long body is refused");
  require(message->flows.size() <= stamp::kMaxQueryFlows, "too many flows are refused");
  const auto text = encode(*message);
  require(text.size() <= stamp::kMaxBody, "what is written fits in a body");
  const auto again = parse(text);
  require(again.ok() && encode(*again) == text, "encode(parse(text)) is the text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  round_trip(body, stamp::parse_request);
  round_trip(body, stamp::parse_answer);
  const std::array<std::uint8_t, 32> key{5};
  require(stamp::verify_request(body, stamp::sign_request(body, key), key), "what was signed verifies");
  require(!stamp::verify_answer(body, stamp::sign_request(body, key), key), "a request is no answer");
  return 0;
}
