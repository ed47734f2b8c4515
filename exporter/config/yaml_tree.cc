#include "config/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "config/text.h"

namespace ue::config {

namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxNodes = 20'000;

/// Leaves the parser from inside an event.
struct Stop {
  Place place;
  std::string path;
  std::string what;
};

/// Takes the parser's events and grows the tree, so that the limits hold while the file is read and not
/// after.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') lines_.push_back(i + 1);
    }
  }

  Node take() { return std::move(root_); }

  /// yaml-cpp counts lines from 0, columns in octets.
  Place place(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0) return {};
    const auto begin = lines_[line_index(mark)];
    const auto octets = text_.substr(begin, offset(mark) - begin);
    return {static_cast<int>(line_index(mark)) + 1, static_cast<int>(count_characters(octets)) + 1};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (done_)
      throw Stop{place(mark), "",
                 "a second document begins; a configuration is one document: check the indentation"};
  }
  void OnDocumentEnd() override { done_ = true; }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    // The mark is that of whatever follows, perhaps lines below: what owns the empty value is a better place.
    const Place at = open_.empty()          ? place(mark)
                     : open_.back().has_key ? open_.back().key_place
                                            : open_.back().node.place;
    add(Node{.place = at}, open_.empty() || open_.back().has_key ? at : place(mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Stop{
        place(mark), path(),
        "YAML aliases (*name) are not used here: write the value out, in quotes if it begins with '*'"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (tag == "!") check_quotes(mark);
    add(Node{.kind = Node::Kind::scalar, .place = place(mark), .quoted = tag == "!", .text = value},
        place(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    open(Node::Kind::list, place(mark));
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    open(Node::Kind::map, place(mark));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    bool has_key = false;  // of a map: the key is read, its value comes next
    std::string key = {};
    Place key_place = {};
    std::map<std::string, Place> keys = {};
  };

  std::size_t line_index(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.line, 0)), lines_.size() - 1);
  }

  std::size_t offset(const YAML::Mark& mark) const {
    return std::min(lines_[line_index(mark)] + static_cast<std::size_t>(std::max(mark.column, 0)),
                    text_.size());
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().has_key;
  }

  std::string path() const {
    std::string out;
    for (const auto& level : open_) {
      if (level.has_key) out = join_path(out, level.key);
      if (level.node.kind == Node::Kind::list) out += fmt::format("[{}]", level.node.children.size());
    }
    return out;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Stop{place(mark), path(), fmt::format("YAML tags ({}) are not used here: remove it", quote(tag))};
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor == YAML::NullAnchor) return;
    throw Stop{place(mark), path(),
               "YAML anchors (&name) are not used here: remove it, or quote text that begins with '&'"};
  }

  /// yaml-cpp takes a scalar whose quotation mark is never closed for one that ends with the file.
  void check_quotes(const YAML::Mark& mark) const {
    std::size_t i = offset(mark);
    if (i >= text_.size() || (text_[i] != '"' && text_[i] != '\'')) return;  // a block scalar
    const char quotation = text_[i];
    for (++i; i < text_.size() && text_[i] != quotation; ++i) {
      if (quotation == '"' && text_[i] == '\\') ++i;
    }
    if (i >= text_.size()) throw Stop{place(mark), path(), "this quotation mark is never closed"};
  }

  void count(Place at) {
    if (++nodes_ > kMaxNodes)
      throw Stop{at, path(), fmt::format("more than {} values in one file", kMaxNodes)};
  }

  void open(Node::Kind kind, Place at) {
    if (expects_key())
      throw Stop{at, path(),
                 "expected a key, found a list or a map; perhaps a bracket or a quotation mark in it is "
                 "never closed"};
    if (open_.size() >= kMaxDepth)
      throw Stop{at, path(), fmt::format("nested deeper than {} levels", kMaxDepth)};
    count(at);
    open_.push_back(Level{.node = Node{.kind = kind, .place = at}});
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  void add(Node node, Place at) {
    count(at);
    if (!expects_key()) return attach(std::move(node));
    if (node.kind == Node::Kind::null) throw Stop{at, path(), "expected a key before ':'"};
    Level& level = open_.back();
    const auto [first, fresh] = level.keys.emplace(node.text, at);
    if (!fresh) {
      throw Stop{at, join_path(path(), printable(node.text)),
                 fmt::format("duplicate key; it stands in line {} already", first->second.line)};
    }
    level.has_key = true;
    level.key = std::move(node.text);
    level.key_place = at;
  }

  void attach(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = open_.back();
    if (level.has_key) {
      node.key = std::move(level.key);
      node.key_place = level.key_place;
      level.has_key = false;
    }
    level.node.children.push_back(std::move(node));
  }

  std::string_view text_;
  std::vector<std::size_t> lines_{0};
  std::vector<Level> open_;
  std::size_t nodes_ = 0;
  bool done_ = false;
  Node root_;
};

/// The parser's words where they would puzzle a person.
std::string_view explain(std::string_view words) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab in the indentation; indent with blanks"},
      {YAML::ErrorMsg::END_OF_MAP,
       "expected the next 'key: value' here: check the indentation, and quote text with ': ' or brackets"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "expected ',' or '}' here"},
      {YAML::ErrorMsg::END_OF_SEQ,
       "expected the next '- ' here: check the indentation, and quote text with ': ' or brackets"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "expected ',' or ']' here"},
      {YAML::ErrorMsg::MAP_VALUE, "a ':' where no key can stand; quote text that contains ': '"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "a quotation mark is never closed"},
      {YAML::ErrorMsg::FLOW_END, "a ']' or '}' that nothing opened; quote text with brackets"},
      {YAML::ErrorMsg::BLOCK_ENTRY,
       "a '- ' where no list item can stand: check the indentation, and that it has no tab"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "a character that no value begins with: put the value in quotes"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR, "an alias (*name) of nothing; quote text that begins with '*'"},
      {YAML::ErrorMsg::CHAR_IN_ALIAS, "a bad alias (*name); quote text that begins with '*'"},
      {YAML::ErrorMsg::ALIAS_NOT_FOUND, "a bad alias (*name); quote text that begins with '*'"},
  };
  for (const auto& [theirs, ours] : kWords) {
    if (words == theirs) return ours;
  }
  return words;
}

}  // namespace

Error place_error(const std::string& file, Place place, std::string_view path, std::string_view what) {
  return Error{
      fmt::format("{}:{}:{}: {}{}{}", file, place.line, place.column, path, path.empty() ? "" : ": ", what)};
}

std::string quote(std::string_view text) {
  constexpr std::size_t kMax = 60;
  if (text.size() <= kMax) return '"' + printable(text) + '"';
  return '"' + printable(text.substr(0, whole_characters(text, kMax))) + "...\"";
}

std::string join_path(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

Result<Node> parse_yaml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxFileSize) {
    return Error{fmt::format("{}: larger than {} octets", file, kMaxFileSize)};
  }
  const std::string clean = normalise_text(text);
  if (const auto bad = find_bad_text(clean))
    return place_error(file, {bad->line, bad->column}, "", bad->what);

  Builder builder(clean);
  try {
    std::istringstream stream(clean);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    return place_error(file, stop.place, stop.path, stop.what);
  } catch (const YAML::Exception& e) {
    return place_error(file, builder.place(e.mark), "",
                       fmt::format("not valid YAML: {}", printable(explain(e.msg))));
  }
  return builder.take();
}

}  // namespace ue::config
