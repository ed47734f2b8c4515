#include "config/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace ue::config {

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error(path, errno);
  auto text = read_descriptor(fd, path, limit);
  ::close(fd);
  return text;
}

Result<std::string> read_descriptor(int fd, const std::string& path, std::size_t limit) {
  std::string out;
  std::array<char, 16384> block{};
  while (out.size() <= limit) {
    const ssize_t n = ::read(fd, block.data(), block.size());
    if (n == 0) return out;
    if (n < 0 && errno != EINTR) return errno_error(path, errno);
    if (n > 0) out.append(block.data(), static_cast<std::size_t>(n));
  }
  return Error{fmt::format("{}: larger than {} octets", path, limit)};
}

std::string resolve_path(const std::string& config_file, const std::string& path) {
  const auto slash = config_file.rfind('/');
  if (path.empty() || path.front() == '/' || slash == std::string::npos) return path;
  return config_file.substr(0, slash + 1) + path;
}

}  // namespace ue::config
