#include "openvpn/log_head.h"

#include <algorithm>
#include <charconv>
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

template <Shape shape>
bool has_shape(std::string_view text) {
  return text.size() >= shape.size()&& [&]<std::size_t... i>(std::index_sequence<i...>) {
    return (fits<shape.pattern[i]>(text[i]) && ...);
  }
  (std::make_index_sequence<shape.size()>());
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

bool split_own(std::string_view line, LogHead& head) {
  if (line.empty()) return false;
  if (digit(line[0])) {
    if (!has_shape<kIso>(line)) return split_machine(line, head);
    head.form = Form::iso;
    head.stamp = line.substr(0, kIso.size() - 1);
    head.text = line.substr(kIso.size());
  } else if (has_shape<kCtime>(line)) {
    head.form = Form::ctime;
    head.stamp = line.substr(0, kCtime.size() - 1);
    head.text = line.substr(kCtime.size());
  } else {
    return false;
  }
  skip_microseconds(head.text);
  return true;
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

int number(std::string_view text) {
  int value = 0;
  for (const char c : text)
    if (digit(c)) value = value * 10 + (c - '0');  // the blank of " 3" is skipped
  return value;
}

unsigned month_number(std::string_view name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto at = kMonths.find(name);
  return at == kMonths.npos || at % 3 != 0 ? 0 : static_cast<unsigned>(at / 3 + 1);
}

std::optional<LogTime> civil(int year, unsigned month, std::string_view day, std::string_view clock,
                             LogTime::Zone zone) {
  using namespace std::chrono;
  const int h = number(clock.substr(0, 2));
  const int m = number(clock.substr(3, 2));
  const int s = number(clock.substr(6, 2));
  const year_month_day date(std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(static_cast<unsigned>(number(day))));
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
  const Nanos offset = std::chrono::hours(number(rest.substr(1, 2))) +
                       std::chrono::minutes(number(rest.substr(colon ? 4 : 3, 2)));
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
      return civil(number(stamp.substr(20, 4)), month_number(stamp.substr(4, 3)), stamp.substr(8, 2),
                   stamp.substr(11, 8), Zone::local);
    case Form::iso:
      return civil(number(stamp.substr(0, 4)), static_cast<unsigned>(number(stamp.substr(5, 2))),
                   stamp.substr(8, 2), stamp.substr(11, 8), Zone::local);
    case Form::syslog:
      return civil(2000, month_number(stamp.substr(0, 3)), stamp.substr(4, 2), stamp.substr(7, 8),
                   Zone::local_no_year);
    case Form::syslog_iso: {
      const auto local = civil(number(stamp.substr(0, 4)), static_cast<unsigned>(number(stamp.substr(5, 2))),
                               stamp.substr(8, 2), stamp.substr(11, 8), Zone::local);
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
