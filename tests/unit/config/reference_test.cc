// deploy/doc/configuration.md is made from the tables that the parsers read by; what it says of a default is held here to
// what the parsers do where the key is left out.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <regex>

#include <fmt/format.h>

#include "config/config.h"
#include "config/web_config.h"

namespace ue::config {
namespace {

struct Row {
  std::string section;
  std::string key;
  std::string standard;  ///< as YAML
  std::string metered;   ///< likewise, of that profile; empty: the same
};

/// Those whose default is a value.
std::vector<Row> rows_of_reference() {
  std::ifstream page(UPLINK_TEST_DATA "/../../deploy/doc/configuration.md");
  const std::regex row(R"(\| `(\w+)` \| `([^`]+)`(?: \(`([^`]+)`\))? \| .*)");
  std::vector<Row> rows;
  std::string section;
  for (std::string line; std::getline(page, line);) {
    std::smatch m;
    if (line.starts_with("##")) section = line.substr(line.find(' ') + 1);
    if (std::regex_match(line, m, row)) rows.push_back({section, m[1], m[2], m[3]});
  }
  return rows;
}

/// Whether a file means the same with the key as without it. `frame` has a place for it.
using Same = std::function<bool(const std::string& with, const std::string& without)>;
struct Frame {
  const char* yaml;
  Same same;
};

template <typename Parse>
Same same_by(Parse parse) {
  return [parse](const std::string& with, const std::string& without) {
    const auto a = parse(with, "with"), b = parse(without, "without");
    EXPECT_TRUE(a) << (a ? "" : a.error()) << "\n" << with;
    EXPECT_TRUE(b) << (b ? "" : b.error()) << "\n" << without;
    return a && b && *a == *b;
  };
}

TEST(Reference, TheDefaultsThatItTellsAreThoseInForce) {
  const auto agent = same_by(parse_config), web = same_by(parse_web_config);
  const auto reflector = same_by(parse_reflector_config);
  const std::map<std::string, Frame> frames{
      {"uplinks", {"uplinks: [{{name: a, interface: b{}}}]", agent}},
      {"reflectors", {"reflectors: [{{name: a, address: b{}}}]", agent}},
      {"probe", {"probe: {{{}}}", agent}},
      {"uplink_reflector", {"{{key_file: k{}}}", reflector}},
      {"limits", {"{{key_file: k, limits: {{{}}}}}", reflector}},
      {"tls_server_config", {"tls_server_config: {{cert_file: a, key_file: b{}}}", web}},
      {"http_server_config", {"http_server_config: {{headers: {{}}{}}}", web}},
      {"rate_limit", {"rate_limit: {{interval: 0s{}}}", web}},
  };
  std::size_t seen = 0;
  for (const auto& row : rows_of_reference()) {
    const auto found = frames.find(row.section);
    ASSERT_NE(found, frames.end()) << row.section << ": give it a frame, to check the default of " << row.key;
    const auto [frame, same] = found->second;
    const auto fill = [yaml = frame](const std::string& more) {
      auto text = fmt::format(fmt::runtime(yaml), more);
      if (const auto first = text.find("{, "); first != text.npos) text.erase(first + 1, 2);
      return text;
    };
    EXPECT_TRUE(same(fill(", " + row.key + ": " + row.standard), fill(""))) << row.section << ": " << row.key;
    if (!row.metered.empty()) {
      EXPECT_TRUE(same(fill(", profile: metered, " + row.key + ": " + row.metered), fill(", profile: metered")))
          << row.section << ", metered: " << row.key;
    }
    ++seen;
  }
  EXPECT_GE(seen, 20u);
}

}  // namespace
}  // namespace ue::config
