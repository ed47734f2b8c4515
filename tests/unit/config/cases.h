#pragma once
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace ue::config {

/// The text of a file of tests/data/config.
inline std::string read_data(const std::string& name) {
  std::ifstream in(std::string(UPLINK_TEST_DATA "/config/") + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A bad file and the one message it gets. The format is told at the top of the data files.
struct Case {
  std::string title;
  std::string text;
  std::string message;
};

inline std::vector<Case> read_cases(const std::string& name) {
  std::istringstream in(read_data(name));
  std::vector<Case> cases;
  bool in_text = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), "", ""});
      in_text = true;
    } else if (line.starts_with("--> ")) {
      cases.back().message = line.substr(4);
      in_text = false;
    } else if (in_text) {
      cases.back().text += line + "\n";
    }
  }
  return cases;
}

}  // namespace ue::config
