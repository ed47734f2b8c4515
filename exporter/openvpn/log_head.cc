#include "openvpn/log_head.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

namespace ue::openvpn {

namespace {

using Form = LogHead::Form;
constexpr std::size_t kMaxToken = 256;  // host name, or ident of a syslog line

bool digit(char c) { return c >= '0' && c <= '9'; }

/// 'd' is a digit, 'D' a digit or a blank, 'a' a letter; anything else is itself. Known when this is
/// compiled, because every line of a log is compared with one.
template <std::size_t N>
struct Shape {
  constexpr Shape(const char (&text)[N]) { std::copy_n(text, N, pattern); }  // NOLINT: reads as a literal
  static constexpr std::size_t size() { return N - 1; }
  char pattern[N] = {};
};

template <char s>
bool fits(char c) {
  if constexpr (s == 'd') return digit(c);
  if constexpr (s == 'D') return digit(c) || c == ' ';
  if constexpr (s == 'a') return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return c == s;
}

/// Eight characters of a shape: each lies at `least`, or above it by no more than what `spare` lacks of 127.
struct Eight {
  std::uint64_t least = 0;
  std::uint64_t spare = 0;
};

/// The eight from `at` on, where they are digits and signs only; else nothing.
template <Shape shape>
constexpr std::optional<Eight> eight(std::size_t at) {
  Eight all;
  for (std::size_t i = at; i < at + 8; ++i) {
    const char c = shape.pattern[i];
    if (c == 'D' || c == 'a') return std::nullopt;
    const std::size_t shift = 8 * (std::endian::native == std::endian::little ? i - at : 7 - (i - at));
    all.least |= std::uint64_t{static_cast<unsigned char>(c == 'd' ? '0' : c)} << shift;
    all.spare |= std::uint64_t{c == 'd' ? 127U - 9U : 127U} << shift;
  }
  return all;
}

/// Most lines of a log have the same shape, so it is looked at in words where it can be.
template <Shape shape, std::size_t at>
bool has_eight(const char* text) {
  if constexpr (constexpr auto wanted = eight<shape>(at); wanted) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + at, sizeof word);
    word ^= wanted->least;
    return (((word + wanted->spare) | word) & 0x8080'8080'8080'8080) == 0;
  } else {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return (fits<shape.pattern[at + i]>(text[at + i]) && ...);
    }
    (std::make_index_sequence<8>());
  }
}

template <Shape shape>
bool has_shape(std::string_view text) {
  constexpr std::size_t n = shape.size();
  if (text.size() < n) return false;
  if constexpr (n < 8) {
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return (fits<shape.pattern[i]>(text[i]) && ...);
    }
    (std::make_index_sequence<n>());
  } else {
    // The last eight may overlap those before.
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return (has_eight<shape, std::min(8 * i, n - 8)>(text.data()) && ...);
    }
    (std::make_index_sequence<(n + 7) / 8>());
  }
}

constexpr Shape kCtime = "aaa aaa Dd dd:dd:dd dddd ";
constexpr Shape kIso = "dddd-dd-dd dd:dd:dd ";
constexpr Shape kSyslog = "aaa Dd dd:dd:dd ";
constexpr Shape kSyslogIso = "dddd-dd-ddTdd:dd:dd";

std::string_view token(std::string_view text) {
  return text.substr(0, std::min(text.substr(0, kMaxToken).find(' '), text.size()));
}

/// Cuts " us=123456" as --verb 4 writes it; the time is left at whole seconds, which is all that anything
/// here needs.
void skip_microseconds(std::string_view& text) {
  if (!text.starts_with("us=")) return;
  std::size_t i = 3;
  while (i < text.size() && i < 12 && digit(text[i])) ++i;
  if (i < text.size() && text[i] == ' ') text.remove_prefix(i + 1);
}

bool split_machine(std::string_view line, LogHead& head) {
  const std::string_view stamp = token(line);
  const auto dot = stamp.find('.');
  if (dot == stamp.npos || dot == 0 || dot > 12 || stamp.size() != dot + 7) return false;
  if (!std::all_of(stamp.begin(), stamp.end(), [](char c) { return digit(c) || c == '.'; })) return false;
  if (line.size() <= stamp.size() + 1) return false;
  const std::string_view flags = token(line.substr(stamp.size() + 1));
  unsigned value = 0;
  const auto [end, error] = std::from_chars(flags.begin(), flags.end(), value, 16);
  if (error != std::errc() || end != flags.end() || line.size() <= stamp.size() + flags.size() + 2)
    return false;
  head.form = Form::machine;
  head.stamp = stamp;
  head.text = line.substr(stamp.size() + flags.size() + 2);
  return true;
}

template <Shape shape>
bool split_time(std::string_view line, Form form, LogHead& head) {
  if (!has_shape<shape>(line)) return false;
  head.form = form;
  head.stamp = line.substr(0, shape.size() - 1);
  head.text = line.substr(shape.size());
  skip_microseconds(head.text);
  return true;
}

bool split_own(std::string_view line, LogHead& head) {
  return split_time<kIso>(line, Form::iso, head) || split_time<kCtime>(line, Form::ctime, head) ||
         split_machine(line, head);
}

/// HOST IDENT: after the time of a syslog line.
void split_ident(std::string_view rest, LogHead& head) {
  const std::string_view host = token(rest);
  if (host.size() >= rest.size()) {
    head.foreign = true;
    return;
  }
  rest.remove_prefix(host.size() + 1);
  const std::string_view ident = token(rest);
  head.foreign = !(ident.starts_with("openvpn") || ident.starts_with("ovpn")) || !ident.ends_with(':') ||
                 ident.size() >= rest.size();
  if (!head.foreign) head.text = rest.substr(ident.size() + 1);
}

bool split_syslog(std::string_view line, LogHead& head) {
  if (has_shape<kSyslog>(line)) {
    head.form = Form::syslog;
    head.stamp = line.substr(0, kSyslog.size() - 1);
  } else if (has_shape<kSyslogIso>(line)) {
    head.form = Form::syslog_iso;
    head.stamp = token(line);
  } else {
    return false;
  }
  if (line.size() <= head.stamp.size() + 1) return false;
  const std::string_view rest = line.substr(head.stamp.size() + 1);
  // Access Server's own file has an ISO time and no host.
  if (rest.starts_with('[')) {
    head.text = rest;
  } else {
    split_ident(rest, head);
  }
  return true;
}

/// "[-] [OVPN 2] OUT: 'LINE'": the line that the daemon below Access Server wrote.
bool unwrap_access_server(std::string_view text, std::string_view& inner) {
  if (!text.starts_with('[')) return false;
  const std::string_view start = text.substr(0, 64);
  const auto daemon = start.find("[OVPN ");
  const auto out = start.find(" OUT: '");
  if (daemon == start.npos || out == start.npos || out < daemon) return false;
  inner = text.substr(out + 7);
  if (inner.ends_with('\'')) inner.remove_suffix(1);
  return true;
}

/// Two digits, or a blank and one.
int pair(std::string_view text, std::size_t at) {
  return (text[at] == ' ' ? 0 : text[at] - '0') * 10 + (text[at + 1] - '0');
}

int year_number(std::string_view text) { return pair(text, 0) * 100 + pair(text, 2); }

unsigned month_number(std::string_view name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto at = kMonths.find(name);
  return at == kMonths.npos || at % 3 != 0 ? 0 : static_cast<unsigned>(at / 3 + 1);
}

std::optional<LogTime> civil(int year, unsigned month, std::string_view day, std::string_view clock,
                             LogTime::Zone zone) {
  using namespace std::chrono;
  const int h = pair(clock, 0);
  const int m = pair(clock, 3);
  const int s = pair(clock, 6);
  const year_month_day date(std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(static_cast<unsigned>(pair(day, 0))));
  // Years outside of 1970-2200 would not fit into nanoseconds and are nobody's log.
  if (!date.ok() || year < 1970 || year > 2200 || h > 23 || m > 59 || s > 60) return std::nullopt;
  return LogTime{sys_days(date).time_since_epoch() + hours(h) + minutes(m) + seconds(s), zone};
}

/// ".123456+09:00", "+0000", "Z" after an ISO time.
std::optional<LogTime> with_zone(LogTime time, std::string_view rest) {
  if (rest.starts_with('.')) {
    std::int64_t unit = 100'000'000;
    for (rest.remove_prefix(1); !rest.empty() && digit(rest[0]); rest.remove_prefix(1), unit /= 10)
      time.value += Nanos((rest[0] - '0') * unit);
  }
  if (rest.empty()) return time;
  time.zone = LogTime::Zone::absolute;
  if (rest == "Z") return time;
  const bool colon = has_shape<"dd:dd">(rest.substr(1));
  if ((rest[0] != '+' && rest[0] != '-') || (!colon && !has_shape<"dddd">(rest.substr(1))))
    return std::nullopt;
  const Nanos offset = std::chrono::hours(pair(rest, 1)) + std::chrono::minutes(pair(rest, colon ? 4 : 3));
  time.value -= rest[0] == '+' ? offset : -offset;
  return time;
}

}  // namespace

std::optional<LogTime> LogHead::time() const {
  using Zone = LogTime::Zone;
  switch (form) {
    case Form::none:
      return std::nullopt;
    case Form::ctime:
      return civil(year_number(stamp.substr(20)), month_number(stamp.substr(4, 3)), stamp.substr(8, 2),
                   stamp.substr(11, 8), Zone::local);
    case Form::iso:
      return civil(year_number(stamp), static_cast<unsigned>(pair(stamp, 5)), stamp.substr(8, 2),
                   stamp.substr(11, 8), Zone::local);
    case Form::syslog:
      return civil(2000, month_number(stamp.substr(0, 3)), stamp.substr(4, 2), stamp.substr(7, 8),
                   Zone::local_no_year);
    case Form::syslog_iso: {
      const auto local = civil(year_number(stamp), static_cast<unsigned>(pair(stamp, 5)), stamp.substr(8, 2),
                               stamp.substr(11, 8), Zone::local);
      return local ? with_zone(*local, stamp.substr(19)) : local;
    }
    case Form::machine: {
      std::int64_t seconds = 0;
      std::int64_t micros = 0;
      const auto dot = stamp.find('.');
      std::from_chars(stamp.begin(), stamp.begin() + dot, seconds);
      std::from_chars(stamp.begin() + dot + 1, stamp.end(), micros);
      if (seconds > 7'258'118'400) return std::nullopt;  // the year 2200
      return LogTime{std::chrono::seconds(seconds) + std::chrono::microseconds(micros), Zone::absolute};
    }
  }
  return std::nullopt;
}

LogHead split_head(std::string_view line) {
  LogHead head;
  if (split_time<kIso>(line, Form::iso, head)) return head;  // most lines of most logs
  head.text = line;
  if (split_own(line, head)) return head;
  if (split_syslog(line, head) && head.foreign) return head;
  LogHead second;
  std::string_view inner;
  if (unwrap_access_server(head.text, inner)) {
    head.text = inner;
    if (split_own(inner, second)) return second;
  } else if (head.form != Form::none && split_own(head.text, second)) {
    // A time with a zone is worth more than one without.
    if (head.form == Form::syslog) return second;
    head.text = second.text;
  }
  return head;
}

}  // namespace ue::openvpn
