#include "openvpn/log_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace ue::openvpn {

namespace {

constexpr unsigned kPiece = 64 * 1024;  // octets; what a core's own cache holds
constexpr unsigned kAhead = 16 * 1024;  // what zlib reads by itself

}  // namespace

Result<std::monostate> read_log_archive(const std::string& file,
                                        const std::function<void(std::string_view)>& use) {
  const int fd = file == "-" ? dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0)
    return Error{file + ": cannot be opened: " + std::strerror(errno) +
                 "; check the name, and that you may read it"};
  if (S_ISDIR(status.st_mode)) {
    close(fd);
    return Error{file + ": is a directory; name the log files in it, oldest first"};
  }
  const std::unique_ptr<gzFile_s, decltype(&gzclose_r)> in(gzdopen(fd, "rb"), &gzclose_r);
  if (!in) {
    close(fd);
    return Error{file + ": cannot be read: out of memory"};
  }
  // zlib looks into the beginning by itself; so much smaller, it reads plain text straight into our piece.
  gzbuffer(in.get(), kAhead);
  std::string piece(kPiece, '\0');
  for (;;) {
    const int got = gzread(in.get(), piece.data(), kPiece);
    if (got > 0) use({piece.data(), static_cast<std::size_t>(got)});
    int error = Z_OK;
    const char* why = gzerror(in.get(), &error);
    if (got < 0 || error != Z_OK)
      return Error{file + ": cannot be read to its end: " + (error == Z_ERRNO ? std::strerror(errno) : why) +
                   "; is the file damaged or cut short?"};
    if (got == 0) return std::monostate{};
  }
}

}  // namespace ue::openvpn
