#include "openvpn/diagnosis.h"

#include <array>
#include <cstddef>

namespace ue::openvpn {

std::string_view name(Diagnosis d) {
  constexpr std::array<std::string_view, 10> kNames{"healthy",
                                                    "one_way_loop",
                                                    "no_return",
                                                    "auth_failure",
                                                    "shared_common_name",
                                                    "keepalive_mismatch",
                                                    "wrong_reply_source",
                                                    "server_restart",
                                                    "disconnected",
                                                    "unknown"};
  return kNames[static_cast<std::size_t>(d)];
}

}  // namespace ue::openvpn
