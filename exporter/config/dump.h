#pragma once
#include <string>

#include "config/config.h"

namespace ue::config {

/// A configuration as a file that parse_config() reads back to the same, with every default spelt out.
/// Secrets stay out: keys and passwords are named by their files anyway, and what a URL carries before its
/// host is written as <secret>.
std::string to_yaml(const Config& config);
std::string to_yaml(const ReflectorConfig& config);

}  // namespace ue::config
