// The reflector's core under an attacker: any datagrams from few sources, some with a valid signature.
// The input is a sequence of: control (1), length (2), octets. See forge() for the control's bits.
#include "reflector/core.h"

#include <algorithm>
#include <memory>

#include "require.h"

using namespace ue;
using fuzz::require;

namespace {

constexpr std::size_t kMaxSessions = 16;
constexpr std::uint32_t kMaxHolds = 8;

reflector::Policy policy() {
  config::Key gateway;
  gateway.key_id = 0xa1;
  gateway.gateway_id = 0xfeed;
  gateway.secret.fill(0x11);
  config::Key master;
  master.master = true;
  master.key_id = 0xb2;
  master.secret.fill(0x22);
  reflector::Policy out;
  out.allow_unauthenticated = true;
  out.keys = {gateway, master};
  out.limits.max_sessions = kMaxSessions;
  out.limits.max_sessions_per_key = 4;
  out.limits.max_holds = kMaxHolds;
  out.limits.max_holds_per_key = 4;
  return out;
}

const reflector::Owner kOwner{true, 0xa1, 0xfeed};
const IpAddress kValidated = IpAddress::v4(0xc6336400);

/// Control: bit 0 signs the base packet, bit 1 appends an HMAC TLV, bits 2-3 choose the source, 4-7 pass
/// seconds.
Bytes forge(std::uint8_t control, ByteView octets) {
  Bytes packet(octets.begin(), octets.end());
  std::array<std::uint8_t, 32> secret{};
  secret.fill(0x11);
  if (packet.size() < stamp::kAuthenticatedSize) return packet;
  if ((control & 2) != 0) stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, secret);
  if ((control & 1) != 0) stamp::sign_base(packet, secret);
  return packet;
}

void late_replies(reflector::ReflectorCore& core, const Now& now) {
  std::array<std::uint8_t, reflector::kMaxDatagram> out{};
  while (const auto late = core.take_due(now, out)) {
    require(late->reply.bytes.size() <= late->request->bytes.size(),
            "no late reply is longer than its request");
    require(late->request->source.address == kValidated, "nobody unproven is sent anything later");
  }
}

/// Making a core costs more than an input: it lives for many. Between two it forgets everything, as it must
/// of itself when nobody sends for a while; what it keeps nevertheless is a finding.
struct World {
  static constexpr int kInputs = 4096;

  reflector::ReflectorCore core{policy(), {0xabcd, 1'789'000'000}};
  Now now{Instant(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'790'000'000)),
          std::chrono::hours(1)};
  std::uint64_t handled = 0;
  int inputs = 0;

  void pass(Nanos time) {
    now.mono += time;
    now.wall += time;
    late_replies(core, now);
    core.tick(now.mono);
  }
};

World& world() {
  static auto the = std::make_unique<World>();
  if (++the->inputs > World::kInputs) the = std::make_unique<World>();
  return *the;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto& w = world();
  w.core.validate(w.now.mono, kOwner, kValidated);
  std::array<std::uint8_t, reflector::kMaxDatagram> out{};
  ByteView rest(data, size);
  while (rest.size() >= 3) {
    const auto control = rest[0];
    const auto length = std::min<std::size_t>({get_u16(&rest[1]), rest.size() - 3, 1600});
    const auto packet = forge(control, rest.subspan(3, length));
    rest = rest.subspan(3 + length);

    if (control >> 4 != 0) w.pass(std::chrono::seconds(control >> 4) * 16);
    reflector::Datagram datagram;
    datagram.bytes = packet;
    datagram.source = {IpAddress::v4(0xc6336400 + (control >> 2 & 3)), 40000};
    datagram.local = {IpAddress::v4(0xcb00710a), 862};
    datagram.ttl = 57;
    datagram.received = w.now.wall;
    const auto reply = w.core.handle(w.now, datagram, out);
    ++w.handled;
    if (reply) require(reply->bytes.size() == packet.size(), "a reply is as long as its request");
    require(w.core.sessions() <= kMaxSessions, "sessions are bounded");
    require(w.core.holding() <= kMaxHolds, "replies that wait are bounded");
    std::uint64_t counted = 0;
    for (const auto n : w.core.outcomes()) counted += n;
    require(counted == w.handled, "every datagram has one outcome");
  }
  w.pass(std::chrono::minutes(20));
  require(w.core.holding() == 0, "nothing waits for longer than it may");
  require(w.core.sessions() == 0, "what is idle is forgotten");
  return 0;
}
