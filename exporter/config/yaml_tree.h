#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ue::config {

/// The largest configuration file that is read, in octets.
inline constexpr std::size_t kMaxFileSize = 1 << 20;

/// Where something stands in a file, both counted from 1; a column is a character, not an octet.
struct Place {
  int line = 1;
  int column = 1;
};

/// One YAML value and where it was written. A scalar keeps its text: nothing is guessed from its looks, so
/// `no`, `0x10` and `1e3` stay what the person wrote. Built by parse_yaml(), read through Value, thrown away
/// after start-up.
struct Node {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  Place place = {};
  bool quoted = false;              ///< a scalar that cannot be a number or a boolean
  std::string text = {};            ///< of a scalar
  std::string key = {};             ///< of a child of a map
  Place key_place = {};             ///< likewise
  std::vector<Node> children = {};  ///< of a list or a map, in file order
};

/// One error line: "file:line:column: path: what"; without the path where there is none.
Error place_error(const std::string& file, Place place, std::string_view path, std::string_view what);

/// What a person wrote, made fit for an error line: in quotes, control characters escaped, cut at 60 octets.
std::string quote(std::string_view text);

/// "path.key", or only the key at the root.
std::string join_path(std::string_view path, std::string_view key);

/// Turns the first and only document of a file into a tree; a file with nothing in it is a `null`. Errors:
/// broken YAML, text that is not UTF-8, control characters, duplicate keys, aliases, tags, a second document,
/// more than 1 MiB, 16 levels or 20,000 values. A byte order mark and Windows line endings are fine.
Result<Node> parse_yaml(std::string_view text, const std::string& file);

}  // namespace ue::config
