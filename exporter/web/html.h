#pragma once
#include <string>
#include <string_view>

namespace ue::web {

/// Builds a page out of markup, which is written in this program, and text, which may come from anywhere.
/// Only literals can be markup, so that nothing dynamic reaches the page without being escaped. Owned by
/// whoever renders.
class Html {
 public:
  struct Markup {
    consteval Markup(const char* s) : value(s) {}  // NOLINT(google-explicit-constructor)
    std::string_view value;
  };

  Html& raw(Markup markup);
  /// Text or the inside of a quoted attribute: & < > " ' are escaped, and what is not UTF-8 is replaced.
  Html& text(std::string_view text);

  /// What another Html has made.
  Html& append(Html& made);

  bool empty() const { return out_.empty(); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace ue::web
