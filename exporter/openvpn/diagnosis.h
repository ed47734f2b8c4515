#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace ue::openvpn {

enum class Diagnosis : std::uint8_t {
  healthy,
  one_way_loop,
  no_return,
  auth_failure,
  shared_common_name,
  keepalive_mismatch,
  wrong_reply_source,
  server_restart,
  disconnected,
  unknown,
};
std::string_view name(Diagnosis d);

struct Finding {
  Diagnosis diagnosis = Diagnosis::unknown;
  std::string why;  ///< a sentence with its figures
};

}  // namespace ue::openvpn
