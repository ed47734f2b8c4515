#include "base/result.h"

#include <system_error>

namespace ue {

Error errno_error(const std::string& what, int code) {
  return Error{what + ": " + std::generic_category().message(code)};
}

}  // namespace ue
