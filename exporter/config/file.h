#pragma once
#include <string>

#include "base/result.h"

namespace ue::config {

/// The whole of a small file, or of a pipe. Errors: "path: reason", a directory, more than `limit` octets.
Result<std::string> read_file(const std::string& path, std::size_t limit);
/// The same of an open descriptor, which stays open; `path` is for the error.
Result<std::string> read_descriptor(int fd, const std::string& path, std::size_t limit);

/// `path` as seen from the directory that `config_file` is in; empty and absolute paths stay as they are.
std::string resolve_path(const std::string& config_file, const std::string& path);

}  // namespace ue::config
