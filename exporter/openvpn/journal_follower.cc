#include "openvpn/journal_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/result.h"
#include "openvpn/log_line.h"
#ifdef UPLINK_HAVE_SYSTEMD
#include "openvpn/journal_library.h"
#endif

namespace ue::openvpn {

JournalFollower::JournalFollower(std::string tunnel, std::string unit, Limits limits, std::string directory)
    : tunnel_(std::move(tunnel)), unit_(std::move(unit)), limits_(limits), directory_(std::move(directory)) {
  if (!unit_.ends_with(".service")) unit_ += ".service";
}

void JournalFollower::fail(std::string_view reason, std::string remedy) {
  if (!state_.fall(reason, std::move(remedy))) return;
  log::warn("OPENVPN_JOURNAL_UNREADABLE", "tunnel {}: {}. Nothing is learned of it until then", tunnel_,
            state_.remedy);
}

#ifndef UPLINK_HAVE_SYSTEMD

void JournalFollower::Close::operator()(sd_journal*) const {}

bool JournalFollower::poll(const Sink&) {
  fail("unsupported",
       "this exporter was built without libsystemd and cannot read the journal; configure `log`");
  return false;
}

#else

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMessage = "MESSAGE=";
constexpr std::string_view kSourceTime = "_SOURCE_REALTIME_TIMESTAMP=";

/// What can be seen of the journal's files.
struct JournalFiles {
  bool readable = false;
  std::string locked;  ///< a file or directory that may not be read
};

void look_into(const fs::path& directory, int depth, JournalFiles& found) {
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (found.readable) return;
    const fs::path& path = at->path();
    std::error_code ignored;
    if (path.extension() == ".journal") {
      if (faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) == 0) {
        found.readable = true;
      } else {
        found.locked = path.string();
      }
    } else if (depth > 0 && fs::is_directory(path, ignored)) {
      look_into(path, depth - 1, found);
    }
  }
  if (error == std::errc::permission_denied) found.locked = directory.string();
}

/// The value of a field of the present entry; nothing where it has none. A negative `code` is an error.
std::optional<std::string_view> field(sd_journal* journal, std::string_view name, int& code) {
  const void* data = nullptr;
  std::size_t size = 0;
  code = journal_library()->get_data(journal, std::string(name.substr(0, name.size() - 1)).c_str(), &data, &size);
  if (code < 0 || size < name.size()) return std::nullopt;
  return std::string_view(static_cast<const char*>(data), size).substr(name.size());
}

/// When the message was sent, where that is known, and when it arrived otherwise.
std::optional<WallTime> time_of_entry(sd_journal* journal) {
  std::uint64_t micros = 0;
  int code = 0;
  if (const auto sent = field(journal, kSourceTime, code)) {
    const auto [end, error] = std::from_chars(sent->begin(), sent->end(), micros);
    if (error != std::errc() || end != sent->end()) micros = 0;
  }
  if (micros == 0 && journal_library()->get_realtime_usec(journal, &micros) < 0) return std::nullopt;
  if (micros > 7'258'118'400'000'000) return std::nullopt;  // the year 2200
  return WallTime(std::chrono::microseconds(micros));
}

}  // namespace

void JournalFollower::Close::operator()(sd_journal* journal) const { journal_library()->close(journal); }

bool JournalFollower::poll(const Sink& sink) {
  if (!journal_ && !open()) return false;
  // Tells the library of files that were added or removed; what it returns only matters to those who redraw.
  if (const int code = journal_library()->process(journal_.get()); code < 0) return lose("following", code);
  return drain(sink);
}

/// The library opens a journal of which it may read nothing as if it were empty, so we look ourselves.
bool JournalFollower::may_read() {
  JournalFiles found;
  if (directory_.empty()) {
    look_into("/var/log/journal", 1, found);
    look_into("/run/log/journal", 1, found);
  } else {
    look_into(directory_, 1, found);
  }
  if (found.readable) return true;
  if (!found.locked.empty()) {
    fail("permission", found.locked +
                           " may not be read: add the exporter's user to the journal's group (usermod -aG "
                           "systemd-journal USER) and start the exporter again");
  } else {
    was_missing_ = true;
    fail("no_journal", "there is no journal in " +
                           (directory_.empty() ? "/var/log/journal or /run/log/journal" : directory_) +
                           ". Start systemd-journald, or configure `log` with the file that OpenVPN writes");
  }
  return false;
}

bool JournalFollower::open() {
  if (journal_library() == nullptr) {
    fail("unsupported", "libsystemd.so.0 is not there, or too old, to read the journal with: install libsystemd0, or configure `log`");
    return false;
  }
  if (!may_read()) return false;
  sd_journal* opened = nullptr;
  const int code = directory_.empty() ? journal_library()->open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM)
                                      : journal_library()->open_directory(&opened, directory_.c_str(), 0);
  if (code < 0) {
    fail("open", errno_error("opening the journal", -code).message);
    return false;
  }
  journal_.reset(opened);
  return place();
}

/// Says which entries are wanted, and goes to where reading begins.
bool JournalFollower::place() {
  sd_journal* journal = journal_.get();
  // Asking for a descriptor makes the library watch for new files; it is never waited on.
  int code = journal_library()->get_fd(journal);
  if (code >= 0) code = journal_library()->set_data_threshold(journal, limits_.max_message + kMessage.size() + 1);
  const std::string wanted = "_SYSTEMD_UNIT=" + unit_;
  if (code >= 0) code = journal_library()->add_match(journal, wanted.data(), wanted.size());
  if (code < 0) {
    journal_.reset();
    fail("open", errno_error("opening the journal", -code).message);
    return false;
  }
  if (cursor_.empty()) return read_back();
  code = journal_library()->seek_cursor(journal, cursor_.c_str());
  if (code >= 0) code = journal_library()->next(journal);
  if (code < 0) return lose("seeking in", code);
  // It is the next one where the entry itself has been deleted since.
  unread_ = code > 0 && journal_library()->test_cursor(journal, cursor_.c_str()) == 0;
  return true;
}

/// Goes back from the end by what the limits allow.
bool JournalFollower::read_back() {
  sd_journal* journal = journal_.get();
  std::size_t octets = 0;
  to_replay_ = 0;
  int code = was_missing_ ? 0 : journal_library()->seek_tail(journal);
  while (code >= 0 && !was_missing_) {
    code = journal_library()->previous(journal);
    if (code <= 0) break;
    int ignored = 0;
    if (const auto message = field(journal, kMessage, ignored)) octets += message->size();
    // This one is too much already: reading begins behind it.
    if (to_replay_ == limits_.read_back_entries || octets > limits_.read_back) return true;
    ++to_replay_;
  }
  if (code >= 0) code = journal_library()->seek_head(journal);
  return code >= 0 || lose("seeking in", code);
}

/// Reads to the end. True: the budget was used up before.
bool JournalFollower::drain(const Sink& sink) {
  std::size_t octets = 0;
  std::size_t entries = 0;
  bool more = false;
  for (;;) {
    more = entries == limits_.budget_entries || octets >= limits_.budget;
    if (more) break;
    if (!std::exchange(unread_, false)) {
      const int code = journal_library()->next(journal_.get());
      if (code < 0) return lose("reading", code);
      if (code == 0) {
        to_replay_ = 0;
        break;
      }
    }
    octets += on_entry(sink);
    ++entries;
  }
  if (entries > 0) keep_place();
  recover();
  return more;
}

std::size_t JournalFollower::on_entry(const Sink& sink) {
  const bool replayed = to_replay_ > 0;
  if (replayed) --to_replay_;
  ++state_.lines;
  int code = 0;
  const auto message = field(journal_.get(), kMessage, code);
  if (!message) {
    if (code != -ENOENT) ++state_.errors["read"];  // a damaged entry; those behind it may be whole
    return 0;
  }
  if (message->size() > limits_.max_message) {
    ++state_.errors["overlong_line"];
    return message->size();
  }
  // The event's views would point into the entry, which asking for its time may unmap.
  const std::string text(*message);
  auto event = parse_log_line(text, clock_);
  if (!event) return text.size();
  ++state_.events;
  event->at = time_of_entry(journal_.get());
  event->source = Source::journal;
  event->replayed = replayed;
  sink(*event);
  return text.size();
}

void JournalFollower::keep_place() {
  char* cursor = nullptr;
  if (journal_library()->get_cursor(journal_.get(), &cursor) < 0) return;
  cursor_ = cursor;
  std::free(cursor);
}

/// Begins anew at the next poll, behind what was read.
bool JournalFollower::lose(const std::string& doing, int code) {
  fail("read", errno_error(doing + " the journal", -code).message);
  journal_.reset();
  return false;
}

void JournalFollower::recover() {
  if (state_.rise())
    log::info("OPENVPN_JOURNAL_READABLE", "tunnel {}: the journal of {} is being followed", tunnel_, unit_);
}

#endif

}  // namespace ue::openvpn
