#pragma once
#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

/// The query channel's messages: "what did you receive from these sessions?", asked over TCP.
///
///   POST /v1/query HTTP/1.1            body and answer are JSON, at most kMaxBody octets
///   Uplink-Authentication: <hex>       HMAC-SHA-256(key, "uplink query\n" body); absent without a key
///
///   request  {"v":1,"key_id":"<8 hex>","gateway_id":"<16 hex>","nonce":"<32 hex>","flows":["<16 hex>",...]}
///            (key_id and gateway_id are left out without a key)
///   answer   {"v":1,"nonce":...,"instance_id":"<16 hex>","boot_epoch":<Unix seconds>,"flows":[
///              {"flow_id":..,"known":true,"received":n,"refused":n,"sent":n,"highest_sequence":n,
///               "window":"<64 hex>","endpoint":"198.51.100.1:41234","ttl":n,"last_ms_ago":n,
///               "icmp":{"type":n,"code":n,"offender":"198.51.100.1","ttl":n,"ms_ago":n}}]}
///            with Uplink-Authentication over "uplink answer\n" body.
/// The window is one 256-bit number, most significant digit first; its bit i stands for highest_sequence - i.
/// "icmp" is there only where a reply of that flow was answered by an ICMP error: the newest one.
/// A flow that the reflector does not know, or that belongs to another key, is answered {"flow_id":..,"known":false}.
namespace ue::stamp {

inline constexpr std::string_view kQueryPath = "/v1/query";
inline constexpr std::string_view kQueryHeader = "Uplink-Authentication";
inline constexpr std::size_t kMaxBody = 8192;
inline constexpr std::size_t kMaxQueryFlows = 16;
inline constexpr std::size_t kWindow = 256;  ///< sequence numbers that a window tells apart

struct QueryRequest {
  std::optional<std::uint32_t> key_id;  ///< together with gateway_id, or neither
  std::optional<std::uint64_t> gateway_id;
  std::array<std::uint8_t, 16> nonce{};
  std::vector<std::uint64_t> flows;
};

/// An ICMP error about a reply: somebody on the way back would not, or could not, pass it on.
struct ReplyError {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  IpAddress offender;        ///< who sent it; behind a NAT of its own, the NAT's address
  std::uint8_t ttl = 0;      ///< of the ICMP packet as the reflector received it; 0 where it is not known
  std::uint64_t ms_ago = 0;
};

/// What the reflector has seen of one session. Packets that it refused after their HMAC was found right (rate, replay)
/// did arrive: they are in `received` and in the window too.
struct FlowReport {
  std::uint64_t flow_id = 0;
  bool known = false;
  std::uint64_t received = 0;
  std::uint64_t refused = 0;
  std::uint64_t sent = 0;               ///< replies
  std::uint32_t highest_sequence = 0;   ///< meaningful where received > 0
  std::bitset<kWindow> window;          ///< bit i: highest_sequence - i was received
  std::optional<Endpoint> endpoint;     ///< where the newest packet came from
  std::uint8_t ttl = 0;                 ///< of the newest packet, as received
  std::uint64_t last_ms_ago = 0;        ///< age of the newest packet
  std::optional<ReplyError> icmp;       ///< the newest; absent from a reflector that does not look
};

struct QueryAnswer {
  std::array<std::uint8_t, 16> nonce{};
  std::uint64_t instance_id = 0;
  std::uint32_t boot_epoch = 0;
  std::vector<FlowReport> flows;
};

std::string encode(const QueryRequest& request);
std::string encode(const QueryAnswer& answer);
/// Strict: wrong types, missing keys, too many flows or an over-long body are errors that say which. Unknown keys are
/// ignored, so that later versions may add some.
Result<QueryRequest> parse_request(std::string_view body);
Result<QueryAnswer> parse_answer(std::string_view body);

/// Header value for a request or an answer.
std::string sign_request(std::string_view body, ByteView key);
std::string sign_answer(std::string_view body, ByteView key);
bool verify_request(std::string_view body, std::string_view header, ByteView key);
bool verify_answer(std::string_view body, std::string_view header, ByteView key);

}  // namespace ue::stamp
