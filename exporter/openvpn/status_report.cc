#include "openvpn/status_report.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace ue::openvpn {

namespace {

constexpr std::size_t kMaxColumns = 32;

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), out);
  return error == std::errc() && end == text.end() && !text.empty();
}

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// Fields of one row, without memory of its own.
struct Fields {
  std::array<std::string_view, kMaxColumns> at;
  std::size_t count = 0;

  Fields(std::string_view row, char separator) {
    while (count < kMaxColumns) {
      const auto end = row.find(separator);
      at[count++] = row.substr(0, end);
      if (end == row.npos) return;
      row.remove_prefix(end + 1);
    }
    count = kMaxColumns + 1;  // more than anybody writes
  }
  /// From the beginning of field `first` to the end of field `last`, separators included.
  std::string_view joined(std::size_t first, std::size_t last) const {
    return {at[first].data(), static_cast<std::size_t>(at[last].data() + at[last].size() - at[first].data())};
  }
};

/// Where the header says that each value stands; kMaxColumns: it has no such column.
struct Columns {
  std::size_t count = 0;
  std::size_t name = kMaxColumns;
  std::size_t address = kMaxColumns;
  std::size_t received = kMaxColumns;
  std::size_t sent = kMaxColumns;
  std::size_t since = kMaxColumns;
  std::size_t since_epoch = kMaxColumns;
  std::size_t client_id = kMaxColumns;

  bool read(const Fields& header, std::size_t first) {
    if (header.count > kMaxColumns) return false;
    for (std::size_t i = first; i < header.count; ++i) {
      const std::string_view title = header.at[i];
      const std::size_t place = i - first;
      if (title == "Common Name") name = place;
      if (title == "Real Address") address = place;
      if (title == "Bytes Received") received = place;
      if (title == "Bytes Sent") sent = place;
      if (title == "Connected Since") since = place;
      if (title == "Connected Since (time_t)") since_epoch = place;
      if (title == "Client ID") client_id = place;
    }
    count = header.count - first;
    return name == 0 && address < count && received < count && sent < count && since < count;
  }
};

/// Fills `client` where `extra` fields in front are pieces of a common name with separators in it. A user
/// name may have some too, behind everything but the numbers at the end: those are looked up from the right.
bool read_client(const Fields& row, std::size_t first, const Columns& columns, std::size_t extra,
                 std::size_t surplus, StatusClient& client) {
  const auto field = [&](std::size_t column) { return row.at[first + column + extra]; };
  client.common_name = row.joined(first, first + extra);
  client.real_address = field(columns.address);
  client.since = field(columns.since);
  if (!read_number(field(columns.received), client.received) ||
      !read_number(field(columns.sent), client.sent))
    return false;
  client.since_at.reset();
  if (columns.since_epoch < columns.count) {
    std::int64_t epoch = 0;
    if (!read_number(field(columns.since_epoch), epoch) || epoch < 0 || epoch > 7'258'118'400) return false;
    client.since_at = WallTime(std::chrono::seconds(epoch));
  }
  client.client_id =
      columns.client_id < columns.count ? row.at[first + columns.client_id + surplus] : std::string_view{};
  return true;
}

bool read_client(const Fields& row, std::size_t first, const Columns& columns, StatusClient& client) {
  if (row.count > kMaxColumns || row.count < first + columns.count || columns.count == 0) return false;
  const std::size_t surplus = row.count - first - columns.count;
  for (std::size_t extra = 0; extra <= surplus; ++extra) {
    if (!read_client(row, first, columns, extra, surplus, client)) continue;
    if (client.common_name == "UNDEF") client.common_name = {};
    return true;
  }
  return false;
}

/// What follows END: nothing, or the rows that a debugging build adds.
bool only_errors(std::string_view rest) {
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (!line.empty() && !line.starts_with("ERRORS") && !line.starts_with("HEADER,ERRORS") &&
        !line.starts_with("HEADER\tERRORS"))
      return false;
  }
  return true;
}

StatusFault read_statistics(std::string_view rest, StatusReport& out) {
  out.role = Role::client;
  bool received = false;
  bool sent = false;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line == "END") return received && sent && only_errors(rest) ? StatusFault::none : StatusFault::torn;
    const auto comma = line.find(',');
    if (comma == line.npos) return StatusFault::torn;
    const std::string_view title = line.substr(0, comma);
    const std::string_view value = line.substr(comma + 1);
    if (title == "TCP/UDP read bytes") received = read_number(value, out.received);
    if (title == "TCP/UDP write bytes") sent = read_number(value, out.sent);
  }
  return StatusFault::torn;
}

StatusFault read_version1(std::string_view rest, StatusReport& out) {
  out.role = Role::server;
  if (!next_line(rest).starts_with("Updated,")) return StatusFault::torn;
  Columns columns;
  if (!columns.read(Fields(next_line(rest), ','), 0)) return StatusFault::torn;
  bool in_clients = true;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line == "END") return !in_clients && only_errors(rest) ? StatusFault::none : StatusFault::torn;
    if (line == "ROUTING TABLE") in_clients = false;
    if (!in_clients) continue;
    StatusClient client;
    if (!read_client(Fields(line, ','), 0, columns, client)) return StatusFault::torn;
    out.clients.push_back(client);
  }
  return StatusFault::torn;
}

StatusFault read_tagged(std::string_view rest, char separator, StatusReport& out) {
  out.role = Role::server;
  Columns columns;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line == "END")
      return out.at && columns.count > 0 && only_errors(rest) ? StatusFault::none : StatusFault::torn;
    const std::string_view tag = line.substr(0, line.find(separator));
    if (tag == "TIME") {
      std::int64_t epoch = 0;
      if (out.at || !read_number(line.substr(line.rfind(separator) + 1), epoch)) return StatusFault::torn;
      out.at = WallTime(std::chrono::seconds(std::clamp<std::int64_t>(epoch, 0, 7'258'118'400)));
    } else if (tag == "HEADER") {
      const Fields header(line, separator);
      if (header.count > 1 && header.at[1] == "CLIENT_LIST" && !columns.read(header, 2))
        return StatusFault::torn;
    } else if (tag == "CLIENT_LIST") {
      StatusClient client;
      if (!read_client(Fields(line, separator), 1, columns, client)) return StatusFault::torn;
      out.clients.push_back(client);
    } else if (tag != "ROUTING_TABLE" && tag != "GLOBAL_STATS") {
      return StatusFault::torn;
    }
  }
  return StatusFault::torn;
}

}  // namespace

std::string_view name(StatusFault f) {
  constexpr std::array<std::string_view, 4> kNames{"none", "empty", "torn", "unknown_form"};
  return kNames[static_cast<std::size_t>(f)];
}

StatusFault parse_status(std::string_view text, StatusReport& out) {
  out.role = Role::unknown;
  out.at.reset();
  out.received = out.sent = 0;
  out.clients.clear();
  if (text.find_first_not_of(std::string_view("\0\r\n ", 4)) == text.npos) return StatusFault::empty;
  // A line without its newline is one that is being written.
  const bool whole = text.ends_with('\n');
  const std::string_view title = next_line(text);
  StatusFault fault = StatusFault::unknown_form;
  if (title == "OpenVPN STATISTICS") fault = read_statistics(text, out);
  if (title == "OpenVPN CLIENT LIST") fault = read_version1(text, out);
  if (title.starts_with("TITLE,")) fault = read_tagged(text, ',', out);
  if (title.starts_with("TITLE\t")) fault = read_tagged(text, '\t', out);
  return fault == StatusFault::none && !whole ? StatusFault::torn : fault;
}

std::string_view plain_endpoint(std::string_view real_address, std::string& buffer) {
  // "tcp6-server:[fd99::2]:41000"
  if (real_address.starts_with("udp") || real_address.starts_with("tcp"))
    real_address.remove_prefix(std::min(real_address.find(':') + 1, real_address.size()));
  if (real_address.starts_with('[')) {
    const auto close = real_address.find("]:");
    if (close == real_address.npos) return {};
    buffer.assign(real_address.substr(1, close - 1)).append(real_address.substr(close + 1));
    return buffer;
  }
  // Two colons without brackets: an IPv6 address alone.
  const auto colon = real_address.find(':');
  if (colon == real_address.npos || real_address.find(':', colon + 1) != real_address.npos) return {};
  return real_address;
}

}  // namespace ue::openvpn
