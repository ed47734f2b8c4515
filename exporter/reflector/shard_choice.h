#pragma once
#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace ue::reflector {

/// The program (classic BPF, for SO_ATTACH_REUSEPORT_CBPF) by which the kernel finds a datagram's shard: its
/// STAMP Session Identifier modulo `shards`. So a session stays where it is when a NAT gives it another port.
/// Whatever is too short for an SSID goes to shard 0. `shards` is at least 1.
std::vector<sock_filter> shard_choice(std::uint32_t shards);

}  // namespace ue::reflector
