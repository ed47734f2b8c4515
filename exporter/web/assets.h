#pragma once
#include <string_view>

namespace ue::web {

/// What the pages need beside themselves, under /static/: they load nothing from elsewhere, and nothing is
/// built for them.
struct Asset {
  std::string_view path;
  std::string_view content_type;
  std::string_view text;
};

/// Null where there is none of this path.
const Asset* find_asset(std::string_view path);

}  // namespace ue::web
