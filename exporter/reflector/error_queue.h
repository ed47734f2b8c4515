#pragma once
#include <functional>
#include <span>

#include "reflector/reply_errors.h"

namespace ue::reflector {

/// Has the kernel keep ICMP errors about what a UDP socket of this family sent (IP_RECVERR). From then on a
/// call on the socket may fail once for an error of the past, see is_icmp_errno(). False with errno.
bool keep_icmp_errors(int fd, bool v4);

/// Takes up to `most` ICMP errors out of a socket's error queue; what is told is valid during the call only.
/// Returns how many entries of any kind were taken.
std::size_t take_icmp_errors(int fd, std::size_t most,
                             const std::function<void(const IcmpAboutReply&)>& tell);

/// A socket call may end so because of an ICMP error about an earlier packet, and then has done nothing.
bool is_icmp_errno(int code);

}  // namespace ue::reflector
