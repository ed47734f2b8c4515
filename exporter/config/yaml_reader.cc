#include "config/yaml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/config.h"
#include "config/text.h"

namespace ue::config {

namespace {

/// Edits (insert, delete, replace, swap two neighbours) that turn one word into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  constexpr std::size_t kLongest = 64;  // nobody mistypes a words key into more than this
  std::string_view best;
  std::size_t best_distance = 3;
  if (word.size() > kLongest) return best;
  for (const auto candidate : words) {
    const auto distance = edit_distance(word, candidate);
    if (distance < best_distance && distance * 2 < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

void Report::add(Place place, std::string_view path, std::string_view what) {
  if (!first_) first_ = place_error(file_, place, path, what);
}

void report_unknown_key(const Value& entry, std::span<const std::string_view> declared) {
  const auto guess = nearest(entry.key(), declared);
  entry.fail_key(guess.empty() ? fmt::format("unknown key; expected one of {}", fmt::join(declared, ", "))
                               : fmt::format("unknown key; did you mean {}?", quote(guess)));
}

void Value::fail(std::string_view what) const { report_->add(node_->place, path_, what); }

void Value::fail_key(std::string_view what) const { report_->add(node_->key_place, path_, what); }

void Value::fail_missing(std::string_view key, std::string_view what) const {
  report_->add(node_->place, join_path(path_, key), what);
}

void Value::fail_expected(std::string_view expected) const {
  fail(fmt::format("expected {}, found {}", expected, found()));
}

std::string Value::found() const {
  switch (node_->kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return quote(node_->text);
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      break;
  }
  return "a map";
}

std::string Value::text(std::string_view expected) const {
  if (node_->kind != Node::Kind::scalar || node_->text.empty() || has_control_character(node_->text)) {
    fail_expected(expected);
    return "";
  }
  return node_->text;
}

bool Value::boolean() const {
  if (is_plain() && (node_->text == "true" || node_->text == "false")) return node_->text == "true";
  fail_expected("true or false (without quotes)");
  return false;
}

std::uint64_t Value::integer(std::uint64_t min, std::uint64_t max) const {
  std::uint64_t n = 0;
  const auto& t = node_->text;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), n);
  const bool leading_zero = t.size() > 1 && t.front() == '0';  // octal to some, decimal to others
  if (is_plain() && error == std::errc() && end == t.data() + t.size() && !leading_zero && n >= min &&
      n <= max)
    return n;
  fail_expected(fmt::format("a whole number from {} to {} (without quotes)", min, max));
  return min;
}

double Value::ratio(double min, double max) const {
  double x = 0;
  const auto& t = node_->text;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), x, std::chars_format::fixed);
  if (is_plain() && error == std::errc() && end == t.data() + t.size() && x >= min && x <= max) return x;
  fail_expected(fmt::format("a ratio from {} to {} (0.05 is 5 %)", min, max));
  return min;
}

Nanos Value::duration(Nanos min, Nanos max) const {
  const auto d = node_->kind == Node::Kind::scalar ? parse_duration(node_->text) : std::nullopt;
  if (d && *d >= min && *d <= max) return *d;
  fail_expected(fmt::format("a duration from {} to {} (such as 500ms, 30s, 1m30s)", duration_text(min),
                            duration_text(max)));
  return min;
}

std::size_t Value::one_of(std::span<const std::string_view> names) const {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (node_->kind == Node::Kind::scalar && node_->text == names[i]) return i;
  }
  fail_expected(fmt::format("{}", fmt::join(names, " or ")));
  return 0;
}

std::vector<Value> Value::items(std::string_view expected) const {
  if (node_->kind != Node::Kind::list) {
    fail_expected(expected);
    return {};
  }
  std::vector<Value> out;
  for (std::size_t i = 0; i < node_->children.size(); ++i) out.push_back(item(i));
  return out;
}

Value Value::item(std::size_t index) const {
  return {node_->children.at(index), fmt::format("{}[{}]", path_, index), *report_};
}

std::vector<Value> Value::entries() const {
  if (node_->kind != Node::Kind::map) {
    fail_expected(path_.empty() ? "a map of keys" : "a map");
    return {};
  }
  std::vector<Value> out;
  for (const auto& child : node_->children) {
    out.emplace_back(child, join_path(path_, printable(child.key.substr(0, whole_characters(child.key, 60)))),
                     *report_);
  }
  return out;
}

std::optional<Value> Value::find(std::string_view key) const {
  for (const auto& child : node_->children) {
    if (node_->kind == Node::Kind::map && child.key == key)
      return Value(child, join_path(path_, key), *report_);
  }
  return std::nullopt;
}

}  // namespace ue::config
