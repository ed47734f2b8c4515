#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "base/log.h"

namespace ue {

/// The flags that both daemons have for their log.
struct LogFlags {
  std::string level = "info";
  std::string format = "logfmt";

  void add_to(CLI::App& app) {
    app.add_option("--log.level", level, "How much is logged, to standard error")
        ->type_name("{debug,info,warn,error}")
        ->capture_default_str();
    app.add_option("--log.format", format, "How a line of it looks")
        ->type_name("{logfmt,json}")
        ->capture_default_str();
  }
  /// Once they are parsed. An error names the flag and what it takes.
  Result<std::monostate> apply() const { return log::configure(level, format); }
};

}  // namespace ue
