#pragma once
#include <string>

#include "base/time.h"

/// `uplinktool diagnose`: the agent itself, run once in the foreground.
namespace ue::tool {

struct DiagnoseOptions {
  std::string config_file;  ///< empty: the agent's built-in defaults
  Nanos duration = std::chrono::seconds(60);
  bool json = false;
};

/// Measures all uplinks side by side for `duration`, less where all is known sooner (half a minute where
/// nothing is wrong; a short mapping must fail in two batches of holds, which takes the longest), and up to
/// half as long again where the second of them is under way: a suspicion is no verdict. Prints the report to
/// standard output; progress goes to standard error. Returns the exit code: 0 to 4 as agent::Grade, 2 where
/// the configuration is bad, 130 after Ctrl-C. Whatever it added to the machine's rules and routes is gone
/// afterwards.
int diagnose(const DiagnoseOptions& options);

/// The part of --help that says what the exit codes and the JSON are.
std::string diagnose_footer();

}  // namespace ue::tool
