#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "config/yaml_reader.h"

/// Readers of single values, one for each kind of thing that the two configurations hold. Like every reader
/// of Value they report what is wrong and then return an empty value.
namespace ue::config {

/// 1-63 of [A-Za-z0-9_.-]: uplinks, reflectors and tunnels. These become label values and words in sentences.
std::string read_name(const Value& v);
/// 1-15 octets without '/', ':' or blanks, as the kernel takes them (dev_valid_name).
std::string read_interface(const Value& v);
/// 0 to 0xffffffff, decimal or with 0x.
std::uint32_t read_fwmark(const Value& v);
Family read_family(const Value& v);
/// An address that something can be sent to: not unspecified, multicast or broadcast.
std::optional<IpAddress> read_unicast_address(const Value& v);
/// host, host:port, address, address:port, [IPv6] or [IPv6]:port. Port 0 stands for none; the caller fills it
/// in.
HostPort read_host_port(const Value& v);
/// address:port that a server can listen on; no names.
HostPort read_listen_address(const Value& v);
/// Address, prefix without host bits, or DNS name.
std::string read_destination(const Value& v);
/// A path without control characters, at most 4095 octets.
std::string read_path(const Value& v);
/// A systemd unit that writes to the journal: "openvpn-client@cloud.service".
std::string read_unit(const Value& v);
/// "unix:/path" or "tcp://address:port".
std::string read_management(const Value& v);
/// http://host[:port][/path] or https.
std::string read_url(const Value& v);

}  // namespace ue::config
