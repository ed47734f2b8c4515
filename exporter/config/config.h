#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"

/// The agent's configuration as plain values. parse_config() is the only way in: what it returns is complete,
/// checked and consistent (names unique, references resolved), so nobody else validates.
namespace ue::config {

struct Uplink {
  std::string name;  ///< label value
  std::string interface;
  std::optional<IpAddress> gateway;
  Family family = Family::ipv4;
  std::uint32_t fwmark = 0;                   ///< 0: none
  std::map<std::string, std::string> labels;  ///< shown on uplink_info only
  bool operator==(const Uplink&) const = default;
};

enum class Protocol { stamp, stun };

struct Reflector {
  std::string name;
  HostPort address;
  Protocol protocol = Protocol::stamp;
  std::string key_file;   ///< empty: unauthenticated
  bool built_in = false;  ///< a stranger's server, which nobody chose: it is to be asked seldom
  bool operator==(const Reflector&) const = default;
};

enum class Profile { standard, metered };  ///< written `default` and `metered`

struct Probe {
  Profile profile = Profile::standard;
  Nanos interval = std::chrono::seconds(1);
  Nanos fresh_interval = std::chrono::seconds(30);
  Nanos ladder_interval = std::chrono::minutes(5);
  std::vector<Nanos> holds;      ///< ascending; empty: lifetimes are not measured
  double loss_threshold = 0.05;  ///< ratio, `lossy` above it
  bool operator==(const Probe&) const = default;
};

/// What applies where the file does not say otherwise. `metered` stays under 4 MB a day per uplink and
/// reflector with a steady probe every 15 s, a fresh flow every 5 min and the ladder every hour.
Probe default_probe(Profile profile);

/// Series for each client of an OpenVPN server.
struct TunnelClients {
  std::uint64_t series = 0;   ///< of so many clients; all others share one. 0: of none
  std::string hash_key_file;  ///< show a keyed hash instead of common names; empty: show the names
  bool operator==(const TunnelClients&) const = default;
};

/// Where a tunnel's events come from; any subset, at least one.
struct Tunnel {
  std::string name;
  std::string log;         ///< file
  std::string journal;     ///< unit
  std::string status;      ///< file
  std::string management;  ///< "unix:/path" or "tcp://address:port"
  std::string management_password_file;
  std::string reflector;  ///< empty: none
  std::string device;     ///< the tunnel's interface; empty: what its log says
  TunnelClients clients;
  bool operator==(const Tunnel&) const = default;
};

struct Route {
  std::string destination;          ///< address, prefix or name
  std::string uplink;               ///< the uplink it must leave through
  std::uint32_t fwmark = 0;         ///< of the packets that are meant; 0: none
  std::optional<IpAddress> source;  ///< of the packets that are meant
  bool operator==(const Route&) const = default;
};

struct Config {
  std::vector<Uplink> uplinks;  ///< empty: discover
  std::vector<Reflector> reflectors;
  std::vector<HostPort> witnesses;
  Probe probe;
  std::vector<Tunnel> openvpn;
  std::vector<Route> routes;
  std::vector<std::string> alertmanagers;  ///< http(s) URLs
  bool operator==(const Config&) const = default;
};

/// `file` is only the name that errors begin with: "file:line:column: key: what was expected".
Result<Config> parse_config(std::string_view yaml, const std::string& file);
/// Reads the file first; an unreadable one is an error with its path and the reason. Relative paths of other
/// files in it (log, status, key_file, management_password_file) are taken from the directory of this file.
Result<Config> load_config(const std::string& path);

/// The reflector's configuration.
struct ReflectorLimits {
  std::uint32_t max_sessions = 100'000;
  std::uint32_t max_sessions_per_key = 1'000;
  std::uint32_t packets_per_second_per_source = 200;  ///< per IPv4 /32, IPv6 /56
  std::uint32_t query_connections = 64;
  std::uint32_t max_holds = 100'000;  ///< replies held back at once; needs a restart to change
  std::uint32_t max_holds_per_key = 1'000;
  std::uint32_t max_holds_per_prefix = 2'000;  ///< IPv4 /24, IPv6 /48
  bool operator==(const ReflectorLimits&) const = default;
};
struct ReflectorConfig {
  std::vector<HostPort> listen;  ///< UDP, and TCP for the query channel on the same port
  std::string key_file;          ///< empty: no authenticated sessions
  bool allow_unauthenticated = false;
  ReflectorLimits limits;
  bool operator==(const ReflectorConfig&) const = default;
};
/// As parse_config() and load_config(). Without key_file and without allow_unauthenticated it is an error.
Result<ReflectorConfig> parse_reflector_config(std::string_view yaml, const std::string& file);
Result<ReflectorConfig> load_reflector_config(const std::string& path);

/// Prometheus durations: a sum of integers with the units ms, s, m, h, d, w, y, largest first, each once
/// ("1m30s"). A bare "0" is accepted too. Nothing for anything else, nor beyond 292 years.
std::optional<Nanos> parse_duration(std::string_view text);
/// The inverse, for zero and more; what is finer than a millisecond is cut off.
std::string duration_text(Nanos d);

}  // namespace ue::config
