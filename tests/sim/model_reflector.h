#pragma once
#include <array>
#include <functional>
#include <optional>
#include <unordered_map>

#include "base/address.h"
#include "probe/types.h"
#include "stamp/packet.h"
#include "stamp/query.h"
#include "stamp/tlv.h"

namespace ue::sim {

/// A stateful STAMP reflector in memory, written from the contract and not from exporter/reflector, so that
/// the prober is tested against the words of stamp/ and not against its twin. Owned by VirtualPath; passive.
class ModelReflector {
 public:
  ModelReflector(std::optional<probe::Identity> identity, std::uint64_t instance_id)
      : identity_(identity), instance_id_(instance_id) {}
  ModelReflector(ModelReflector&&) = default;

  /// The reply, where there is one. A packet that names no flow and fits no session is dropped.
  /// `room`: octets that nobody needs any more, to write the reply in.
  std::optional<Bytes> receive(WallTime now, ByteView packet, const Endpoint& source, Bytes room = {});
  stamp::QueryAnswer answer(const std::vector<std::uint64_t>& flows) const;
  /// Every session is lost, and the instance is another one.
  void restart(std::uint64_t instance_id);

  /// False: packets that ask for a hold are answered at once, and the reply says so.
  bool holds = true;
  /// True: who has signed once is believed. Most of a signature's cost is SHA-256.
  bool trusting = false;
  /// Says which packets are counted but not answered (rate limit); may be empty.
  std::function<bool()> refuses;

  std::uint64_t replied() const { return replied_; }
  std::uint64_t refused() const { return refused_; }
  /// Dropped without being counted for a session.
  std::uint64_t ignored() const { return ignored_; }

 private:
  struct Session {
    std::uint64_t flow_id = 0;
    std::uint16_t ssid = 0;
    Session* older = nullptr;  ///< the next one to look at for an SSID
    std::uint64_t received = 0;
    std::uint64_t refused = 0;
    std::uint32_t sent = 0;
    std::uint32_t highest = 0;
    std::bitset<stamp::kWindow> window;
    Endpoint endpoint;
  };
  stamp::Mode mode() const { return identity_ ? stamp::Mode::authenticated : stamp::Mode::unauthenticated; }
  Session* find(ByteView packet, std::uint16_t ssid);
  bool is_signed(ByteView packet, const Session& session) const;
  bool named(ByteView packet, std::optional<std::uint64_t>& flow_id) const;
  static bool record(Session& session, std::uint32_t sequence);
  Bytes reply(WallTime now, ByteView packet, const stamp::SenderPacket& request, Session& session,
              Bytes room);
  void append(Bytes& reply, const stamp::Tlv& tlv, const Endpoint& source) const;

  std::optional<probe::Identity> identity_;
  std::uint64_t instance_id_;
  std::unordered_map<std::uint64_t, Session> sessions_;  ///< by flow id
  std::array<Session*, 1024> newest_{};                  ///< by the end of the SSID
  std::uint64_t replied_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t ignored_ = 0;
};

}  // namespace ue::sim
