#include "openvpn/log_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"
#include "openvpn/log_head.h"
#include "openvpn/log_line.h"

namespace ue::openvpn {

namespace {

constexpr std::size_t kBuffer = 64 * 1024;
constexpr std::size_t kLastRead = 64;  // two lines of a log hardly ever end alike, times included
constexpr std::size_t kTail = 4096;    // long enough for the last lines of a log

ssize_t read_at(int fd, char* out, std::size_t size, std::uint64_t offset) {
  ssize_t n = 0;
  do n = pread(fd, out, size, static_cast<off_t>(offset));
  while (n < 0 && errno == EINTR);
  return n;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

WallTime modified(const struct stat& info) {
  return WallTime(std::chrono::seconds(info.st_mtim.tv_sec) + Nanos(info.st_mtim.tv_nsec));
}

}  // namespace

LogFollower::LogFollower(std::string tunnel, std::string path, Limits limits)
    : tunnel_(std::move(tunnel)), path_(std::move(path)), limits_(limits), lines_(limits.max_line) {}

bool LogFollower::poll(const Sink& sink) {
  if (!file_) open_first();
  if (!file_) return false;
  std::size_t budget = limits_.budget;
  if (!drain(sink, budget)) return budget == 0;
  if (follow_path(sink, budget) && !drain(sink, budget)) return budget == 0;
  return false;
}

/// Opens the path without waiting for anything; on failure says why.
FileHandle LogFollower::open_path(struct stat& info) {
  FileHandle file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file || fstat(file.get(), &info) != 0) {
    const int code = errno;
    const std::string why = errno_error(path_, code).message;
    if (code == ENOENT || code == ENOTDIR) {
      was_missing_ = true;
      fail("missing", why + ". Start OpenVPN, or name the file that its `log` or `log-append` writes");
    } else if (code == EACCES || code == EPERM) {
      fail("permission",
           fmt::format(
               "{}. OpenVPN creates its log readable by root only: let the exporter's user read it (setfacl "
               "-m "
               "u:USER:r {}, or a group, and x on its directory), or give the exporter CAP_DAC_READ_SEARCH",
               why, path_));
    } else {
      fail("open", why);
    }
    return FileHandle();
  }
  if (!S_ISREG(info.st_mode)) {
    fail("not_a_file", path_ + " is not a regular file; `log` takes OpenVPN's log file");
    return FileHandle();
  }
  return file;
}

void LogFollower::open_first() {
  struct stat info {};
  const bool is_new = was_missing_;
  file_ = open_path(info);
  if (!file_) return;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (is_new) return restart(0);
  restart(size > limits_.read_back ? size - limits_.read_back - 1 : 0);
  // From one octet earlier, so that a line which begins right there is not lost.
  if (offset_ > 0) lines_.skip_to_newline();
  replayed_until_ = size;
}

void LogFollower::restart(std::uint64_t offset) {
  offset_ = offset;
  replayed_until_ = 0;
  last_read_.clear();
  lines_.clear();
}

/// Still what we read before, just longer? A file that was truncated and has outgrown our place since is not.
bool LogFollower::is_same_text() const {
  char seen[kLastRead];
  const std::size_t size = last_read_.size();
  return read_at(file_.get(), seen, size, offset_ - size) == static_cast<ssize_t>(size) &&
         std::string_view(seen, size) == last_read_;
}

/// Finds the place to read on from; false where there is nothing new.
bool LogFollower::prepare(const struct stat& info) {
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size == offset_) return false;
  if (size < offset_ || !is_same_text()) {
    log::debug("OPENVPN_LOG_TRUNCATED", "tunnel {}: {} was truncated; reading it from the start", tunnel_,
               path_);
    restart(0);
    if (size == 0) return false;
  }
  // A daemon that does not append goes on at its old place and leaves a hole before it, of any size.
  const off_t data = lseek(file_.get(), static_cast<off_t>(offset_), SEEK_DATA);
  if (data > static_cast<off_t>(offset_)) {
    lines_.clear();
    last_read_.clear();
    offset_ = static_cast<std::uint64_t>(data);
  }
  observe_clock(info);
  return true;
}

/// Reads to the end. False: it could not, because the budget is used up or reading failed.
bool LogFollower::drain(const Sink& sink, std::size_t& budget) {
  struct stat info {};
  if (fstat(file_.get(), &info) != 0 || !prepare(info)) return true;
  buffer_.resize(kBuffer);
  while (budget > 0) {
    const ssize_t n = read_at(file_.get(), buffer_.data(), std::min(buffer_.size(), budget), offset_);
    if (n == 0) return true;
    if (n < 0) {
      fail("read", errno_error("reading " + path_, errno).message);
      file_ = FileHandle();  // opened anew at the next poll
      budget = 1;            // there is nothing to hurry for
      return false;
    }
    const std::string_view chunk(buffer_.data(), static_cast<std::size_t>(n));
    lines_.feed(chunk, [&](std::string_view line, std::size_t end) {
      on_line(line, offset_ + end <= replayed_until_, sink);
    });
    offset_ += chunk.size();
    budget -= chunk.size();
    last_read_.append(chunk.substr(chunk.size() - std::min(chunk.size(), kLastRead)));
    if (last_read_.size() > kLastRead) last_read_.erase(0, last_read_.size() - kLastRead);
    if (lines_.overlong() > 0) state_.errors["overlong_line"] = lines_.overlong();
  }
  return false;
}

/// At the end of the file that is open: is the path still the same file? True: a new one is open now. The old
/// one stays open, and is followed, until somebody has written to the new: after a rename the daemon writes
/// to the old one until it is restarted, even where the new one has been created for it.
bool LogFollower::follow_path(const Sink& sink, std::size_t& budget) {
  struct stat here {};
  struct stat there {};
  if (fstat(file_.get(), &here) != 0) return false;
  const int found = stat(path_.c_str(), &there);
  if (found == 0 && (same_file(here, there) || (S_ISREG(there.st_mode) && there.st_size == 0))) {
    recover();
    return false;
  }
  FileHandle next = open_path(there);  // says why where it cannot
  if (!next) return false;
  if (!drain(sink, budget)) return false;  // what was written between its end and the new file's beginning
  log::debug("OPENVPN_LOG_ROTATED", "tunnel {}: {} is a new file", tunnel_, path_);
  file_ = std::move(next);
  restart(0);
  recover();
  return true;
}

/// The newest time in the file and the file's own tell the writer's zone.
void LogFollower::observe_clock(const struct stat& info) {
  char tail[kTail];
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t begin = size > kTail ? size - kTail : 0;
  const ssize_t n = read_at(file_.get(), tail, std::min<std::uint64_t>(size, kTail), begin);
  if (n <= 0) return;
  std::string_view text(tail, static_cast<std::size_t>(n));
  for (auto end = text.rfind('\n'); end != text.npos; end = text.rfind('\n')) {
    text = text.substr(0, end);
    const auto start = text.rfind('\n');
    if (start == text.npos && begin > 0) return;  // not a whole line
    if (const auto time = split_head(text.substr(start == text.npos ? 0 : start + 1)).time())
      return clock_.observe(*time, modified(info));
  }
}

void LogFollower::on_line(std::string_view line, bool replayed, const Sink& sink) {
  ++state_.lines;
  auto event = parse_log_line(line, clock_);
  if (!event) return;
  ++state_.events;
  event->replayed = replayed;
  sink(*event);
}

void LogFollower::fail(std::string_view reason, std::string remedy) {
  if (!state_.fall(reason, std::move(remedy))) return;
  log::warn("OPENVPN_LOG_UNREADABLE", "tunnel {}: {}. Nothing is learned of it until then; trying again",
            tunnel_, state_.remedy);
}

void LogFollower::recover() {
  if (state_.rise()) log::info("OPENVPN_LOG_READABLE", "tunnel {}: {} is being followed", tunnel_, path_);
}

}  // namespace ue::openvpn
