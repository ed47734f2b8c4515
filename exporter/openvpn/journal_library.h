#pragma once
#include <systemd/sd-journal.h>

namespace ue::openvpn {

/// What is used of libsystemd, which is loaded when a journal is first to be read: it and the libraries that
/// it brings along cost 0.8 MiB of a gateway's memory, and most tunnels log to a file.
struct JournalLibrary {
  decltype(&sd_journal_open) open;
  decltype(&sd_journal_open_directory) open_directory;
  decltype(&sd_journal_close) close;
  decltype(&sd_journal_process) process;
  decltype(&sd_journal_get_fd) get_fd;
  decltype(&sd_journal_set_data_threshold) set_data_threshold;
  decltype(&sd_journal_add_match) add_match;
  decltype(&sd_journal_seek_head) seek_head;
  decltype(&sd_journal_seek_tail) seek_tail;
  decltype(&sd_journal_seek_cursor) seek_cursor;
  decltype(&sd_journal_test_cursor) test_cursor;
  decltype(&sd_journal_get_cursor) get_cursor;
  decltype(&sd_journal_next) next;
  decltype(&sd_journal_previous) previous;
  decltype(&sd_journal_get_data) get_data;
  decltype(&sd_journal_get_realtime_usec) get_realtime_usec;
};

/// Null where this machine has no libsystemd, or one too old; looked for again at each call. The loop's
/// thread.
const JournalLibrary* journal_library();

}  // namespace ue::openvpn
