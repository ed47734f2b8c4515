#pragma once
#include <cstdint>

namespace ue::agent {

enum class Mode : std::uint8_t {
  service,   ///< for months: everything at its pace
  one_shot,  ///< for a minute: everything at once, and another agent may run on this machine
};

}  // namespace ue::agent
