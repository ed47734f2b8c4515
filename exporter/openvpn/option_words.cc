#include "openvpn/option_words.h"

#include <utility>

namespace ue::openvpn {

std::vector<std::string> option_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  bool open = false;
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      open = true;
    } else if ((c == '#' || c == ';') && word.empty() && !open) {
      break;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      if (open) words.push_back(std::exchange(word, {}));
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(word);
  if (!words.empty() && words[0].starts_with("--")) words[0].erase(0, 2);
  return words;
}

}  // namespace ue::openvpn
