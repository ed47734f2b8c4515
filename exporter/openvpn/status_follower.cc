#include "openvpn/status_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "base/result.h"
#include "openvpn/file_handle.h"

namespace ue::openvpn {

namespace {

constexpr unsigned kTornTrouble = 5;  // readings in a row
constexpr Nanos kLongestInterval = std::chrono::hours(1);

WallTime written_at(const struct stat& info) {
  return WallTime(std::chrono::seconds(info.st_mtim.tv_sec) + Nanos(info.st_mtim.tv_nsec));
}

bool unchanged(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

void StatusFollower::poll(const Now& now, const Sink& sink) {
  struct stat info {};
  if (has_seen_ && stat(path_.c_str(), &info) == 0 && unchanged(info, seen_)) return judge_age(now);
  bool whole = false;
  if (!read_file(info, whole)) return;
  seen_ = info;
  has_seen_ = true;
  const StatusFault fault = whole ? parse_status(text_, report_) : StatusFault::torn;
  ++state_.lines;
  if (fault == StatusFault::torn) {
    has_seen_ = false;  // look again at the next poll, changed or not
    if (++torn_ != kTornTrouble)
      ++state_.errors["torn"];
    else
      fail("torn",
           path_ +
               " is never whole: END is missing or rows do not fit their header. Is it written by two "
               "daemons, or was the disk full?");
    return;
  }
  torn_ = 0;
  if (fault == StatusFault::empty)
    return fail("empty",
                path_ +
                    " is empty: OpenVPN leaves it so after a write that failed (disk full, a line over "
                    "512 octets) until it is restarted");
  if (fault == StatusFault::unknown_form)
    return fail("unknown_form", path_ +
                                    " is no OpenVPN status (version 1, 2 or 3, or a client's statistics); "
                                    "`status` takes the file that OpenVPN's own `status` names");
  const WallTime at = report_.at.value_or(written_at(info));
  if (written_ != WallTime{} && at > written_)
    interval_ = std::clamp(at - written_, interval_, kLongestInterval);
  written_ = at;
  ++state_.events;
  sink(report_, at);
  judge_age(now);
}

/// `whole`: nobody wrote to the file meanwhile.
bool StatusFollower::read_file(struct stat& info, bool& whole) {
  const FileHandle file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || fstat(file.get(), &info) != 0) {
    const int code = errno;
    const std::string why = errno_error(path_, code).message;
    if (code == ENOENT || code == ENOTDIR) {
      fail("missing", why + ". Start OpenVPN, or name the file that its `status` writes");
    } else if (code == EACCES || code == EPERM) {
      fail("permission",
           why +
               ". OpenVPN writes it readable by root only: let the exporter's user read it (setfacl "
               "-m u:USER:r, and x on its directory), or give the exporter CAP_DAC_READ_SEARCH");
    } else {
      fail("open", why);
    }
    has_seen_ = false;
    return false;
  }
  if (!S_ISREG(info.st_mode)) {
    fail("not_a_file", path_ + " is not a regular file; `status` takes OpenVPN's status file");
    return false;
  }
  if (static_cast<std::uint64_t>(info.st_size) > kMaxSize) {
    fail("too_large", path_ + " is larger than any status of OpenVPN");
    return false;
  }
  text_.resize(static_cast<std::size_t>(info.st_size) + 1);  // one more, to see it grow
  std::size_t size = 0;
  for (ssize_t n = 1; n > 0 && size < text_.size();
       size += static_cast<std::size_t>(std::max<ssize_t>(n, 0))) {
    do n = read(file.get(), text_.data() + size, text_.size() - size);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
      fail("read", errno_error("reading " + path_, errno).message);
      return false;
    }
  }
  struct stat after {};
  whole = size == static_cast<std::size_t>(info.st_size) && fstat(file.get(), &after) == 0 &&
          unchanged(info, after);
  text_.resize(size);
  return true;
}

/// A daemon that died or hangs leaves its last report behind.
void StatusFollower::judge_age(const Now& now) {
  if (written_ == WallTime{}) return;
  const Nanos age = now.wall - written_;
  if (age > 3 * interval_ + std::chrono::seconds(5))
    return fail("stale", path_ + " was written " + format_duration(age) +
                             " ago, last: OpenVPN does not run, or hangs, or its clock differs");
  if (state_.rise()) log::info("OPENVPN_STATUS_READABLE", "tunnel {}: {} is being read", tunnel_, path_);
}

void StatusFollower::fail(std::string_view reason, std::string remedy) {
  if (!state_.fall(reason, std::move(remedy))) return;
  log::warn("OPENVPN_STATUS_UNREADABLE", "tunnel {}: {}. Trying again", tunnel_, state_.remedy);
}

}  // namespace ue::openvpn
