#pragma once
#include <optional>
#include <string>
#include <string_view>

/// The little that reading a person's text file takes: line endings, UTF-8, and text that is safe to print.
namespace ue::config {

/// Without a byte order mark; CR LF becomes LF.
std::string normalise_text(std::string_view text);

struct BadText {
  int line = 1;
  int column = 1;
  std::string what;
};
/// The first octet that is not UTF-8 (RFC 3629) or is a control character other than tab and line feed.
std::optional<BadText> find_bad_text(std::string_view text);

/// Characters in UTF-8 text.
std::size_t count_characters(std::string_view text);

/// The largest size of at most `size` octets at which `text` can be cut between two characters.
std::size_t whole_characters(std::string_view text, std::size_t size);

bool has_control_character(std::string_view text);

/// Control characters and quotation marks as escapes.
std::string printable(std::string_view text);

}  // namespace ue::config
