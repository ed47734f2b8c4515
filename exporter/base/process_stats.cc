#include "base/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace ue {

namespace {

std::uint64_t count_entries(const char* directory) {
  DIR* d = opendir(directory);
  if (d == nullptr) return 0;
  std::uint64_t n = 0;
  while (readdir(d) != nullptr) ++n;
  closedir(d);
  return n > 3 ? n - 3 : 0;  // ".", ".." and the descriptor of this very reading
}

double boot_time() {
  std::ifstream stat("/proc/stat");
  for (std::string line; std::getline(stat, line);) {
    if (line.rfind("btime ", 0) == 0) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats p;
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto name_end = text.rfind(')');  // the name may hold blanks and parentheses
  if (name_end == std::string::npos) return p;
  std::istringstream fields(text.substr(name_end + 2));
  std::string skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  std::uint64_t started = 0;
  std::uint64_t pages = 0;
  for (int i = 3; i < 14; ++i) fields >> skipped;  // proc(5) numbers them from 1: state is 3
  fields >> user >> system >> skipped >> skipped >> skipped >> skipped >> p.threads >> skipped >> started >>
      p.virtual_bytes >> pages;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  p.cpu_seconds = static_cast<double>(user + system) / ticks;
  p.resident_bytes = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  static const double booted = boot_time();
  p.start_time = booted + static_cast<double>(started) / ticks;
  p.open_fds = count_entries("/proc/self/fd");
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) p.max_fds = limit.rlim_cur;
  return p;
}

}  // namespace ue
