#pragma once
#include <optional>
#include <span>

#include "base/address.h"
#include "base/bytes.h"
#include "stamp/packet.h"

/// STAMP TLVs (RFC 8972 §4): Flags(1) Type(1) Length(2, of the Value) Value.
namespace ue::stamp {

enum class TlvType : std::uint8_t {
  extra_padding = 1,
  location = 2,
  timestamp_information = 3,
  class_of_service = 4,
  direct_measurement = 5,
  access_report = 6,
  follow_up_telemetry = 7,
  hmac = 8,
  flow_control = 240,  ///< ours, from the experimental range 240-251: see FlowTlv
};

inline constexpr std::uint8_t kFlagUnrecognised = 0x80;  ///< U
inline constexpr std::uint8_t kFlagMalformed = 0x40;     ///< M
inline constexpr std::uint8_t kFlagIntegrity = 0x20;     ///< I
inline constexpr std::size_t kTlvHeaderSize = 4;

/// One TLV in a datagram; `offset` is that of its header from the first octet of the datagram.
struct Tlv {
  std::size_t offset = 0;
  std::uint8_t flags = 0;
  std::uint8_t type = 0;
  ByteView value;
};

/// Walks the TLVs of a datagram from `base_size` on. It stops at the first header or Length that does not
/// fit; malformed() then says so, and malformed_offset() where.
class TlvReader {
 public:
  TlvReader(ByteView datagram, Mode mode);
  std::optional<Tlv> next();
  bool malformed() const { return malformed_; }
  std::size_t malformed_offset() const { return offset_; }

 private:
  ByteView datagram_;
  std::size_t offset_;
  bool malformed_ = false;
};

/// The first TLV of a type, if the datagram has one before anything malformed.
std::optional<Tlv> find_tlv(ByteView datagram, Mode mode, TlvType type);

/// Appends a TLV as a sender sends it (U set, RFC 8972 §4.2.1) to `packet`.
void append_tlv(Bytes& packet, TlvType type, ByteView value);

/// Appends Extra Padding of so many zeros.
void append_padding(Bytes& packet, std::size_t octets);

/// Appends the HMAC TLV over the base Sequence Number and all TLVs so far (RFC 8972 §4.8).
void append_hmac_tlv(Bytes& packet, Mode mode, ByteView key);
/// True where the datagram has an HMAC TLV, only Extra Padding follows it, and it is right.
bool verify_hmac_tlv(ByteView datagram, Mode mode, ByteView key);

// --- Location (type 2): what the reflector saw, that is the NAT's mapped address
// -----------------------------------

/// Appends a request for ports and Source IP Address (sub-TLV 7): 28 octets in all.
void append_location_request(Bytes& packet);
/// The mapped endpoint (source address and port) out of a reflected Location TLV's value; nothing where it is
/// absent.
std::optional<Endpoint> parse_location_source(ByteView value);

// --- Direct Measurement (type 5)
// ------------------------------------------------------------------------------------

struct DirectMeasurement {
  std::uint32_t sender_tx = 0;     ///< S_TxC
  std::uint32_t reflector_rx = 0;  ///< R_RxC
  std::uint32_t reflector_tx = 0;  ///< R_TxC
  auto operator<=>(const DirectMeasurement&) const = default;
};
void append_direct_measurement(Bytes& packet, std::uint32_t sender_tx);
std::optional<DirectMeasurement> parse_direct_measurement(ByteView value);

// --- Flow control (type 240, ours)
// ----------------------------------------------------------------------------------
//
// Only inside authenticated sessions. Value, 40 octets, big-endian:
//   0  version (1)      1  flags (0x01 suppress)    2  reserved (2, zero)
//   4  key id (4)       8  gateway id (8)          16  flow id (8)
//  24  hold in ms (4)  28  boot epoch (4)          32  instance id (8)
// Sender: boot epoch is 0; instance id is the one last learned from this reflector, 0 while unknown.
// Reflector: hold is the one the reply really had; boot epoch is the Unix time in seconds at which the
// instance started; instance id is drawn at random then. Another instance id means that counters started
// anew.

struct FlowTlv {
  static constexpr std::size_t kSize = 40;
  static constexpr std::uint8_t kVersion = 1;

  bool suppress = false;  ///< count the packet, send no reply
  std::uint32_t key_id = 0;
  std::uint64_t gateway_id = 0;
  std::uint64_t flow_id = 0;  ///< drawn at random by the sender for each session
  std::uint32_t hold_ms = 0;  ///< reply after this; 0 at once; at most 600,000
  std::uint32_t boot_epoch = 0;
  std::uint64_t instance_id = 0;

  std::array<std::uint8_t, kSize> encode() const;
  static std::optional<FlowTlv> parse(ByteView value);  ///< nothing on another length or version
  auto operator<=>(const FlowTlv&) const = default;
};

/// In an unauthenticated session an Extra Padding TLV of 16 octets carries the flow id in its first eight: a
/// legal, pseudo-random padding for any reflector, and a name nobody can guess for the query channel of ours.
/// The other eight are SplitMix64's hash of the id, so that a foreign sender's padding of the same size names
/// nothing.
inline constexpr std::size_t kNamingPaddingSize = 16;
void append_naming_padding(Bytes& packet, std::uint64_t flow_id);
std::optional<std::uint64_t> parse_naming_padding(ByteView value);

}  // namespace ue::stamp
