#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

/// Key files. One line a key, '#' begins a comment, fields are separated by blanks:
///
///   gateway  KEY-ID(8 hex)  GATEWAY-ID(16 hex)  SECRET(64 hex)
///   master   KEY-ID(8 hex)  *                   SECRET(64 hex)
///
/// An agent's file has exactly one `gateway` line. A reflector's may have any number, and `master` lines: the
/// secret of a gateway that has no line of its own is then derive_gateway_secret(), so that one master serves
/// every gateway without a step per gateway on the reflector. In the simplest set-up both sides share one
/// file.
namespace ue::config {

using Secret = std::array<std::uint8_t, 32>;

struct Key {
  bool master = false;
  std::uint32_t key_id = 0;
  std::uint64_t gateway_id = 0;  ///< 0 for a master
  Secret secret{};
};

/// Errors: "file:line: what was expected"; duplicate (key id, gateway id) pairs and empty files are errors.
Result<std::vector<Key>> parse_key_file(std::string_view text, const std::string& file);

/// Refuses a file that group or others can touch in any way, that belongs to neither root nor the user that
/// reads it (root reads anybody's), or that is not a regular file; the error names the remedy.
Result<std::vector<Key>> load_key_file(const std::string& path);
/// The one `gateway` key of an agent's file; a file with a `master` is refused, since that belongs to the
/// reflector only.
Result<Key> load_gateway_key(const std::string& path);

/// HMAC-SHA-256(master secret, "uplink_exporter gateway key\n" || key id (4) || gateway id (8)).
Secret derive_gateway_secret(const Key& master, std::uint64_t gateway_id);

/// Text of a new key file with one random gateway key, or one master.
std::string generate_key_file(bool master);
/// Text of a key file for one more gateway of `master`, with a random gateway id.
std::string generate_gateway_key_file(const Key& master);

}  // namespace ue::config
