#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "config/yaml_tree.h"

namespace ue::config {

/// Keeps the first error of a file, which is the one that is told: later ones are often its echo.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}
  void add(Place place, std::string_view path, std::string_view what);
  const std::optional<Error>& first() const { return first_; }

 private:
  std::string file_;
  std::optional<Error> first_;
};

/// A node together with its path ("uplinks[0].name") and the report its errors go to. Lives on the stack
/// while a file is read; borrows all three. A reader that meets something else than it expects reports that
/// and returns an empty value, so that callers go on without checks: the report decides at the end.
class Value {
 public:
  Value(const Node& node, std::string path, Report& report)
      : node_(&node), path_(std::move(path)), report_(&report) {}

  const std::string& path() const { return path_; }
  const std::string& key() const { return node_->key; }
  bool is_null() const { return node_->kind == Node::Kind::null; }
  bool is_scalar() const { return node_->kind == Node::Kind::scalar; }
  bool is_plain() const { return node_->kind == Node::Kind::scalar && !node_->quoted; }
  /// The text of a scalar as it stands, for what may be empty or must not be told in an error; else "".
  const std::string& raw() const { return node_->text; }

  void fail(std::string_view what) const;      ///< at the value
  void fail_key(std::string_view what) const;  ///< at the key in front of it
  void fail_missing(std::string_view key,
                    std::string_view what) const;       ///< at this map, about a key it should have
  void fail_expected(std::string_view expected) const;  ///< "expected ..., found ..."

  /// The text of a scalar, never empty; `expected` is what an error asks for. The error case returns "".
  std::string text(std::string_view expected) const;
  bool boolean() const;
  std::uint64_t integer(std::uint64_t min, std::uint64_t max) const;  ///< decimal; `min` on error
  double ratio(double min, double max) const;
  Nanos duration(Nanos min, Nanos max) const;
  /// Index of the scalar among `names`; 0 on error.
  std::size_t one_of(std::span<const std::string_view> names) const;

  std::vector<Value> items(std::string_view expected) const;  ///< of a list
  std::vector<Value> entries() const;                         ///< of a map, in file order
  std::optional<Value> find(std::string_view key) const;      ///< no error where it is absent
  /// The item of a list that items() was read from without an error.
  Value item(std::size_t index) const;

 private:
  std::string found() const;

  const Node* node_;
  std::string path_;
  Report* report_;
};

inline constexpr std::string_view kRequired = "required";

/// One declared key of a map that is read into a T. deploy/doc/configuration.md is made from these tables.
template <typename T>
struct Setting {
  std::string_view name;
  std::string_view standard;  ///< what holds where it is left out, in Markdown; or kRequired
  std::string_view help;      ///< in Markdown
  void (*read)(const Value&, T&);
};

/// The one of `words` that `word` is a likely slip of (at most two edits); empty where none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

/// Reports a key that is not declared, with the nearest declared one if it is close.
void report_unknown_key(const Value& entry, std::span<const std::string_view> declared);

/// Reads a map by its table of keys: what the table does not name is an error, and so is a required key that
/// is absent.
template <typename T>
T read_map(const Value& map, std::span<const Setting<T>> table, T out = {}) {
  for (const Value& entry : map.entries()) {
    bool known = false;
    for (const auto& key : table) {
      if (key.name != entry.key()) continue;
      known = true;
      key.read(entry, out);
    }
    if (known) continue;
    std::vector<std::string_view> declared;
    for (const auto& key : table) declared.push_back(key.name);
    report_unknown_key(entry, declared);
  }
  for (const auto& key : table) {
    if (key.standard == kRequired && !map.find(key.name)) map.fail_missing(key.name, "is missing");
  }
  return out;
}

/// The whole file: an empty one reads like a map without keys.
template <typename T>
T read_document(const Value& root, std::span<const Setting<T>> table, T out = {}) {
  return root.is_null() ? std::move(out) : read_map(root, table, std::move(out));
}

}  // namespace ue::config
