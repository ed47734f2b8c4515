#include "stamp/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/hmac.h"

namespace ue::stamp {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr std::string_view kRequestContext = "uplink query\n";
constexpr std::string_view kAnswerContext = "uplink answer\n";

std::string window_to_hex(const std::bitset<kWindow>& window) {
  Bytes bytes(kWindow / 8);
  for (std::size_t i = 0; i < kWindow; ++i) {
    if (window[i]) bytes[bytes.size() - 1 - i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
  }
  return to_hex(ByteView(bytes));
}

std::bitset<kWindow> window_from_bytes(const Bytes& bytes) {
  std::bitset<kWindow> window;
  for (std::size_t i = 0; i < kWindow; ++i) window[i] = (bytes[bytes.size() - 1 - i / 8] >> (i % 8) & 1) != 0;
  return window;
}

/// Reads the members of one object; the first thing that is wrong is kept as the error and the rest reads as
/// zero.
class Reader {
 public:
  Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) fail("", "an object");
  }

  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }
  const std::string& error() const { return error_; }

  std::uint64_t number(const char* key, std::uint64_t max = std::numeric_limits<std::uint64_t>::max()) {
    const Json* v = member(key);
    if (v == nullptr || !v->is_number_unsigned() || v->get<std::uint64_t>() > max) {
      fail(key, fmt::format("a whole number from 0 to {}", max));
      return 0;
    }
    return v->get<std::uint64_t>();
  }

  bool boolean(const char* key) {
    const Json* v = member(key);
    if (v == nullptr || !v->is_boolean()) {
      fail(key, "true or false");
      return false;
    }
    return v->get<bool>();
  }

  /// Exactly `size` octets in hexadecimal.
  Bytes hex(const char* key, std::size_t size) {
    const Json* v = member(key);
    if (v != nullptr) {
      if (auto bytes = hex_value(*v, size)) return *bytes;
    }
    fail(key, fmt::format("{} hexadecimal digits", size * 2));
    return Bytes(size);
  }

  std::optional<Endpoint> endpoint(const char* key) {
    const Json* v = member(key);
    if (v != nullptr && v->is_string()) {
      const auto parsed = HostPort::parse(v->get_ref<const std::string&>());
      const auto address = parsed ? IpAddress::parse(parsed->host) : std::nullopt;
      if (address) return Endpoint{*address, parsed->port};
    }
    fail(key, "an address and a port");
    return std::nullopt;
  }

  IpAddress address(const char* key) {
    const Json* v = member(key);
    const auto parsed =
        v != nullptr && v->is_string() ? IpAddress::parse(v->get_ref<const std::string&>()) : std::nullopt;
    if (!parsed) fail(key, "an address");
    return parsed.value_or(IpAddress());
  }

  /// The object that a key leads to, read with the errors of this one.
  Reader object(const char* key) const { return {object_[key], fmt::format("{}: {}", where_, key)}; }
  void take_error(const Reader& from) {
    if (error_.empty()) error_ = from.error_;
  }

  /// An array of at most kMaxQueryFlows, or an empty one with the error set.
  const Json& flows() {
    static const Json kNone = Json::array();
    const Json* v = member("flows");
    if (v != nullptr && v->is_array() && v->size() <= kMaxQueryFlows) return *v;
    fail("flows", fmt::format("an array of at most {} flows", kMaxQueryFlows));
    return kNone;
  }

  void version() {
    if (number("v") != kVersion) fail("v", fmt::format("the version {}", kVersion));
  }

  void fail(std::string_view key, std::string_view expected) {
    if (!error_.empty()) return;
    error_ = key.empty() ? fmt::format("{}: expected {}", where_, expected)
                         : fmt::format("{}: {}: expected {}", where_, key, expected);
  }

  static std::optional<Bytes> hex_value(const Json& v, std::size_t size) {
    if (!v.is_string()) return std::nullopt;
    auto bytes = from_hex(v.get_ref<const std::string&>());
    return bytes && bytes->size() == size ? bytes : std::nullopt;
  }

 private:
  const Json* member(const char* key) const { return has(key) ? &object_[key] : nullptr; }

  const Json& object_;
  std::string where_;
  std::string error_;
};

/// Nothing where the body is too long or no JSON.
Result<Json> parse_json(std::string_view body, const std::string& where) {
  if (body.size() > kMaxBody) return Error{fmt::format("{}: longer than {} octets", where, kMaxBody)};
  auto json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) return Error{where + ": not JSON"};
  return json;
}

ReplyError read_reply_error(Reader& in) {
  ReplyError error;
  error.type = static_cast<std::uint8_t>(in.number("type", 255));
  error.code = static_cast<std::uint8_t>(in.number("code", 255));
  error.offender = in.address("offender");
  error.ttl = static_cast<std::uint8_t>(in.number("ttl", 255));
  error.ms_ago = in.number("ms_ago");
  return error;
}

void copy_nonce(const Bytes& from, std::array<std::uint8_t, 16>& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

FlowReport read_flow(Reader& in) {
  FlowReport flow;
  flow.flow_id = get_u64(in.hex("flow_id", 8).data());
  flow.known = in.boolean("known");
  if (!flow.known) return flow;
  flow.received = in.number("received");
  flow.refused = in.number("refused");
  flow.sent = in.number("sent");
  flow.highest_sequence = static_cast<std::uint32_t>(in.number("highest_sequence", 0xffffffff));
  flow.window = window_from_bytes(in.hex("window", kWindow / 8));
  if (in.has("endpoint")) flow.endpoint = in.endpoint("endpoint");
  flow.ttl = static_cast<std::uint8_t>(in.number("ttl", 255));
  flow.last_ms_ago = in.number("last_ms_ago");
  if (in.has("icmp")) {
    auto icmp = in.object("icmp");
    flow.icmp = read_reply_error(icmp);
    in.take_error(icmp);
  }
  return flow;
}

std::string sign(std::string_view context, std::string_view body, ByteView key) {
  const auto digest = hmac_sha256(key, {as_bytes(context), as_bytes(body)});
  return to_hex(ByteView(digest));
}

bool verify(std::string_view context, std::string_view body, std::string_view header, ByteView key) {
  const auto given = from_hex(header);
  return given && equal_constant_time(hmac_sha256(key, {as_bytes(context), as_bytes(body)}), *given);
}

}  // namespace

std::string encode(const QueryRequest& request) {
  Json out{{"v", kVersion}};
  if (request.key_id && request.gateway_id) {
    out["key_id"] = fmt::format("{:08x}", *request.key_id);
    out["gateway_id"] = to_hex(*request.gateway_id);
  }
  out["nonce"] = to_hex(ByteView(request.nonce));
  out["flows"] = Json::array();
  for (const auto flow : request.flows) out["flows"].push_back(to_hex(flow));
  return out.dump();
}

std::string encode(const QueryAnswer& answer) {
  Json out{{"v", kVersion},
           {"nonce", to_hex(ByteView(answer.nonce))},
           {"instance_id", to_hex(answer.instance_id)},
           {"boot_epoch", answer.boot_epoch},
           {"flows", Json::array()}};
  for (const auto& flow : answer.flows) {
    Json item{{"flow_id", to_hex(flow.flow_id)}, {"known", flow.known}};
    if (flow.known) {
      item["received"] = flow.received;
      item["refused"] = flow.refused;
      item["sent"] = flow.sent;
      item["highest_sequence"] = flow.highest_sequence;
      item["window"] = window_to_hex(flow.window);
      if (flow.endpoint) item["endpoint"] = flow.endpoint->to_string();
      item["ttl"] = flow.ttl;
      item["last_ms_ago"] = flow.last_ms_ago;
      if (const auto& e = flow.icmp) {
        item["icmp"] = {{"type", e->type},
                        {"code", e->code},
                        {"offender", e->offender.to_string()},
                        {"ttl", e->ttl},
                        {"ms_ago", e->ms_ago}};
      }
    }
    out["flows"].push_back(std::move(item));
  }
  return out.dump();
}

Result<QueryRequest> parse_request(std::string_view body) {
  const auto json = parse_json(body, "query");
  if (!json) return Error{json.error()};
  Reader in(*json, "query");
  in.version();
  QueryRequest request;
  if (in.has("key_id") || in.has("gateway_id")) {
    request.key_id = get_u32(in.hex("key_id", 4).data());
    request.gateway_id = get_u64(in.hex("gateway_id", 8).data());
  }
  copy_nonce(in.hex("nonce", request.nonce.size()), request.nonce);
  for (const auto& item : in.flows()) {
    const auto id = Reader::hex_value(item, 8);
    if (!id) in.fail("flows", "16 hexadecimal digits each");
    request.flows.push_back(id ? get_u64(id->data()) : 0);
  }
  if (!in.error().empty()) return Error{in.error()};
  return request;
}

Result<QueryAnswer> parse_answer(std::string_view body) {
  const auto json = parse_json(body, "answer");
  if (!json) return Error{json.error()};
  Reader in(*json, "answer");
  in.version();
  QueryAnswer answer;
  copy_nonce(in.hex("nonce", answer.nonce.size()), answer.nonce);
  answer.instance_id = get_u64(in.hex("instance_id", 8).data());
  answer.boot_epoch = static_cast<std::uint32_t>(in.number("boot_epoch", 0xffffffff));
  for (const auto& item : in.flows()) {
    Reader flow(item, fmt::format("answer: flows[{}]", answer.flows.size()));
    answer.flows.push_back(read_flow(flow));
    if (!flow.error().empty()) return Error{flow.error()};
  }
  if (!in.error().empty()) return Error{in.error()};
  return answer;
}

std::string sign_request(std::string_view body, ByteView key) { return sign(kRequestContext, body, key); }
std::string sign_answer(std::string_view body, ByteView key) { return sign(kAnswerContext, body, key); }
bool verify_request(std::string_view body, std::string_view header, ByteView key) {
  return verify(kRequestContext, body, header, key);
}
bool verify_answer(std::string_view body, std::string_view header, ByteView key) {
  return verify(kAnswerContext, body, header, key);
}

}  // namespace ue::stamp
