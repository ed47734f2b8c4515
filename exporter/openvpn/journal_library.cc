#ifdef UPLINK_HAVE_SYSTEMD
#include "openvpn/journal_library.h"

#include <dlfcn.h>

#include <optional>

namespace ue::openvpn {

namespace {

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

std::optional<JournalLibrary> load_library() {
  void* so = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
  JournalLibrary l{};
  const bool whole = so != nullptr && find(so, "sd_journal_open", l.open) &&
                     find(so, "sd_journal_open_directory", l.open_directory) &&
                     find(so, "sd_journal_close", l.close) &&
                     find(so, "sd_journal_process", l.process) &&
                     find(so, "sd_journal_get_fd", l.get_fd) &&
                     find(so, "sd_journal_set_data_threshold", l.set_data_threshold) &&
                     find(so, "sd_journal_add_match", l.add_match) &&
                     find(so, "sd_journal_seek_head", l.seek_head) &&
                     find(so, "sd_journal_seek_tail", l.seek_tail) &&
                     find(so, "sd_journal_seek_cursor", l.seek_cursor) &&
                     find(so, "sd_journal_test_cursor", l.test_cursor) &&
                     find(so, "sd_journal_get_cursor", l.get_cursor) &&
                     find(so, "sd_journal_next", l.next) &&
                     find(so, "sd_journal_previous", l.previous) &&
                     find(so, "sd_journal_get_data", l.get_data) &&
                     find(so, "sd_journal_get_realtime_usec", l.get_realtime_usec);
  return whole ? std::optional(l) : std::nullopt;
}

}  // namespace

const JournalLibrary* journal_library() {
  static std::optional<JournalLibrary> library;
  if (!library) library = load_library();
  return library ? &*library : nullptr;
}

}  // namespace ue::openvpn
#endif
