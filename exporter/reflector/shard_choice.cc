#include "reflector/shard_choice.h"

namespace ue::reflector {

namespace {

// RFC 8972 §3: where the SSID stands; which mode it is, guess_mode() tells by the same octets.
constexpr std::uint32_t kTimestamp = 4;
constexpr std::uint32_t kSsidUnauthenticated = 14;
constexpr std::uint32_t kSsidAuthenticated = 26;

}  // namespace

std::vector<sock_filter> shard_choice(std::uint32_t shards) {
  return {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kTimestamp),  // in authenticated mode these twelve octets are zero
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kTimestamp + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kTimestamp + 8),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kSsidAuthenticated),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kSsidUnauthenticated),
      BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, shards),
      BPF_STMT(BPF_RET | BPF_A, 0),
  };
}

}  // namespace ue::reflector
