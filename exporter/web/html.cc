#include "web/html.h"

#include "metrics/utf8.h"

namespace ue::web {

Html& Html::raw(Markup markup) {
  out_ += markup.value;
  return *this;
}

Html& Html::append(Html& made) {
  out_ += made.take();
  return *this;
}

Html& Html::text(std::string_view text) {
  for (const char c : metrics::valid_utf8(text)) {
    switch (c) {
      case '&':
        out_ += "&amp;";
        break;
      case '<':
        out_ += "&lt;";
        break;
      case '>':
        out_ += "&gt;";
        break;
      case '"':
        out_ += "&quot;";
        break;
      case '\'':
        out_ += "&#39;";
        break;
      default:
        out_ += c;
    }
  }
  return *this;
}

}  // namespace ue::web
