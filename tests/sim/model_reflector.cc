#include "sim/model_reflector.h"

#include <algorithm>
#include <stdexcept>

namespace ue::sim {

namespace {

constexpr stamp::ErrorEstimate kError{.synchronised = true, .ptp = false, .scale = 22, .multiplier = 1};
constexpr std::uint32_t kBootEpoch = 1'790'000'000;

bool is(const stamp::Tlv& tlv, stamp::TlvType type) { return tlv.type == static_cast<std::uint8_t>(type); }

}  // namespace

std::optional<Bytes> ModelReflector::receive(WallTime now, ByteView packet, const Endpoint& source,
                                             Bytes room) {
  const auto request = stamp::parse_sender(packet, mode());
  auto* session = request ? find(packet, request->ssid) : nullptr;
  if (session == nullptr || !is_signed(packet, *session) || !record(*session, request->sequence)) {
    ++ignored_;
    return std::nullopt;
  }
  session->endpoint = source;
  if (refuses && refuses()) {
    ++session->refused;
    ++refused_;
    return std::nullopt;
  }
  ++replied_;
  return reply(now, packet, *request, *session, std::move(room));
}

/// False where the packet may not name the flow that it does.
bool ModelReflector::named(ByteView packet, std::optional<std::uint64_t>& flow_id) const {
  if (!identity_) {
    const auto tlv = stamp::find_tlv(packet, mode(), stamp::TlvType::extra_padding);
    if (tlv) flow_id = stamp::parse_naming_padding(tlv->value);
    return true;
  }
  const auto tlv = stamp::find_tlv(packet, mode(), stamp::TlvType::flow_control);
  if (!tlv) return true;
  const auto flow = stamp::FlowTlv::parse(tlv->value);
  if (!flow || flow->key_id != identity_->key_id || flow->gateway_id != identity_->gateway_id) return false;
  flow_id = flow->flow_id;
  return true;
}

bool ModelReflector::is_signed(ByteView packet, const Session& session) const {
  if (!identity_ || (trusting && session.received > 0)) return true;
  return stamp::verify_base(packet, identity_->secret) &&
         (packet.size() == stamp::base_size(mode()) ||
          stamp::verify_hmac_tlv(packet, mode(), identity_->secret));
}

ModelReflector::Session* ModelReflector::find(ByteView packet, std::uint16_t ssid) {
  std::optional<std::uint64_t> flow_id;
  if (!named(packet, flow_id)) return nullptr;
  auto& newest = newest_[ssid % newest_.size()];
  auto* session = newest;
  while (session != nullptr && session->ssid != ssid) session = session->older;
  if (!flow_id || (session != nullptr && session->flow_id == *flow_id)) return session;
  const auto [place, added] = sessions_.try_emplace(*flow_id);
  session = &place->second;
  if (!added) {  // another one has given the same SSID since
    if (session->ssid != ssid) throw std::logic_error("a flow that gives two SSIDs");
    auto** link = &newest;
    while (*link != session) link = &(*link)->older;
    *link = session->older;
  }
  session->flow_id = *flow_id;
  session->ssid = ssid;
  session->older = newest;
  return newest = session;
}

/// False for a duplicate.
bool ModelReflector::record(Session& s, std::uint32_t sequence) {
  if (s.received == 0 || sequence > s.highest) {
    const auto step = s.received == 0 ? 0 : sequence - s.highest;
    s.window <<= step;  // as far as it reaches
    s.highest = sequence;
  }
  const auto back = s.highest - sequence;
  if (back >= stamp::kWindow || s.window.test(back)) return false;
  s.window.set(back);
  ++s.received;
  return true;
}

Bytes ModelReflector::reply(WallTime now, ByteView packet, const stamp::SenderPacket& request,
                            Session& session, Bytes out) {
  stamp::ReflectorPacket base;
  base.sequence = session.sent++;
  base.timestamp = base.receive_timestamp = stamp::NtpTime::from(now);
  base.error_estimate = kError;
  base.ssid = request.ssid;
  base.sender_sequence = request.sequence;
  base.sender_timestamp = request.timestamp;
  base.sender_error_estimate = request.error_estimate;
  base.sender_ttl = 55;
  out.clear();
  out.reserve(packet.size());
  out.resize(stamp::base_size(mode()));
  stamp::encode(base, mode(), out);
  if (identity_) stamp::sign_base(out, identity_->secret);
  stamp::TlvReader reader(packet, mode());
  while (const auto tlv = reader.next()) append(out, *tlv, session.endpoint);
  return out;
}

void ModelReflector::append(Bytes& reply, const stamp::Tlv& tlv, const Endpoint& source) const {
  if (is(tlv, stamp::TlvType::hmac)) {
    stamp::append_hmac_tlv(reply, mode(), identity_->secret);
    return;
  }
  const auto at = reply.size();
  stamp::append_tlv(reply, static_cast<stamp::TlvType>(tlv.type), tlv.value);
  reply[at] = 0;  // understood
  const auto value = std::span(reply).subspan(at + stamp::kTlvHeaderSize);
  if (is(tlv, stamp::TlvType::location) && value.size() >= 24) {
    put_u16(&value[0], 862);
    put_u16(&value[2], source.port);
    value[4] = 0;  // flags of the sub-TLV
    value[5] = 8;  // Source IPv4 Address
    put_u32(&value[8], source.address.v4_value());
  } else if (is(tlv, stamp::TlvType::flow_control)) {
    auto flow = *stamp::FlowTlv::parse(tlv.value);
    flow.boot_epoch = kBootEpoch;
    flow.instance_id = instance_id_;
    if (!holds) flow.hold_ms = 0;
    std::ranges::copy(flow.encode(), value.begin());
  }
}

stamp::QueryAnswer ModelReflector::answer(const std::vector<std::uint64_t>& flows) const {
  stamp::QueryAnswer answer;
  answer.instance_id = instance_id_;
  answer.boot_epoch = kBootEpoch;
  for (const auto id : flows) {
    stamp::FlowReport report;
    report.flow_id = id;
    if (const auto s = sessions_.find(id); s != sessions_.end()) {
      report.known = true;
      report.received = s->second.received;
      report.refused = s->second.refused;
      report.sent = s->second.sent;
      report.highest_sequence = s->second.highest;
      report.window = s->second.window;
      report.endpoint = s->second.endpoint;
      report.ttl = 55;
    }
    answer.flows.push_back(report);
  }
  return answer;
}

void ModelReflector::restart(std::uint64_t instance_id) {
  sessions_.clear();
  newest_.fill(nullptr);
  instance_id_ = instance_id;
}

}  // namespace ue::sim
