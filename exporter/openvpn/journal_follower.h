#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "openvpn/event.h"
#include "openvpn/log_clock.h"
#include "openvpn/source_state.h"

struct sd_journal;

namespace ue::openvpn {

/// Follows what one systemd unit writes to the journal, across the journal's rotation. Owned by a Tunnel, on
/// the loop's thread; the caller decides how often to poll (a second or less is right). It never blocks,
/// never writes, and never reads more than a budget in one call.
///
/// The first look at a journal that is there already reads back the unit's newest entries, as replayed
/// events. From then on everything is new, including all of a journal that appears later. After a failed read
/// it goes on behind the entry that it read last. Without libsystemd at build time it is down and says so.
class JournalFollower {
 public:
  struct Limits {
    std::size_t read_back = 256 * 1024;    ///< octets of history
    std::size_t read_back_entries = 2000;  ///< ... and entries
    std::size_t budget = 1024 * 1024;      ///< octets in one poll()
    std::size_t budget_entries = 5000;     ///< ... and entries
    std::size_t max_message = 64 * 1024;
  };
  using Sink = std::function<void(const Event&)>;

  /// `unit` with or without ".service". `directory` holds the journal's files; empty: those of this machine.
  JournalFollower(std::string tunnel, std::string unit, Limits limits, std::string directory = {});
  JournalFollower(std::string tunnel, std::string unit)
      : JournalFollower(std::move(tunnel), std::move(unit), Limits{}) {}

  /// Hands the events of new entries to `sink`, in order; their views are valid during the call. True: the
  /// budget ran out and more is waiting, so call again soon.
  bool poll(const Sink& sink);

  /// Errors by reason: unsupported, no_journal, permission, open, read; overlong_line counts entries dropped.
  const SourceState& state() const { return state_; }

 private:
  struct Close {
    void operator()(sd_journal* journal) const;
  };

  bool may_read();
  bool open();
  bool place();
  bool read_back();
  bool drain(const Sink& sink);
  std::size_t on_entry(const Sink& sink);
  void keep_place();
  bool lose(const std::string& doing, int code);
  void fail(std::string_view reason, std::string remedy);
  void recover();

  std::string tunnel_;
  std::string unit_;
  Limits limits_;
  std::string directory_;
  SourceState state_;
  bool was_missing_ = false;  ///< there was no journal at first: what appears there is new
  bool unread_ = false;       ///< the entry at our place is yet to be read
  std::size_t to_replay_ = 0;
  std::string cursor_;  ///< of the entry that was read last
  LogClock clock_;      ///< knows no zone: the journal's own times are used
  std::unique_ptr<sd_journal, Close> journal_;
};

}  // namespace ue::openvpn
