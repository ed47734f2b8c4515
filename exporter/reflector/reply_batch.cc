#include "reflector/reply_batch.h"

#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

#include "reflector/error_queue.h"

namespace ue::reflector {

namespace {

constexpr std::size_t kMostSegments = 64;    // UDP_MAX_SEGMENTS of the oldest kernels
constexpr std::size_t kMostOctets = 65'000;  // a little less than what an IPv4 datagram holds

/// Has the kernel cut what follows into datagrams of `size`; returns the length of the control messages.
std::size_t append_segment_size(std::span<std::uint8_t> control, std::size_t at, std::size_t size) {
  const auto segment = static_cast<std::uint16_t>(size);
  auto* c = reinterpret_cast<cmsghdr*>(control.data() + at);
  *c = {CMSG_LEN(sizeof segment), SOL_UDP, UDP_SEGMENT};
  std::memcpy(CMSG_DATA(c), &segment, sizeof segment);
  return at + CMSG_SPACE(sizeof segment);
}

}  // namespace

struct ReplyBatch::Buffers {
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlSize> octets;
  };
  std::array<To, kMost> to;
  std::array<iovec, kMost> parts;
  std::array<Control, kMost> control;
  std::array<mmsghdr, kMost> messages;
  std::array<std::size_t, kMost> first;  ///< of each message's replies
};

ReplyBatch::ReplyBatch() : buffers_(std::make_unique<Buffers>()) {}
ReplyBatch::~ReplyBatch() = default;

void ReplyBatch::add(std::span<std::uint8_t> octets, const To& to) {
  buffers_->to[replies_] = to;
  buffers_->parts[replies_] = {octets.data(), octets.size()};
  ++replies_;
}

bool ReplyBatch::together(std::size_t first, std::size_t next) const {
  const auto& a = buffers_->to[first];
  const auto& b = buffers_->to[next];
  return buffers_->parts[first].iov_len == buffers_->parts[next].iov_len && a.size == b.size &&
         a.traffic_class == b.traffic_class && a.interface == b.interface && a.local == b.local &&
         std::memcmp(a.address, b.address, a.size) == 0;
}

void ReplyBatch::compose_one(std::size_t message, std::size_t first, std::size_t count) {
  auto& b = *buffers_;
  const auto& to = b.to[first];
  auto& control = b.control[message].octets;
  auto size = write_ancillary(control, to.local, to.interface, to.traffic_class);
  if (count > 1) size = append_segment_size(control, size, b.parts[first].iov_len);
  auto& header = b.messages[message].msg_hdr;
  header = {};
  header.msg_name = const_cast<sockaddr_storage*>(to.address);
  header.msg_namelen = to.size;
  header.msg_iov = &b.parts[first];
  header.msg_iovlen = count;
  header.msg_controllen = size;
  header.msg_control = size == 0 ? nullptr : control.data();
  b.first[message] = first;
}

/// Returns how many messages there are.
std::size_t ReplyBatch::compose() {
  std::size_t messages = 0;
  for (std::size_t first = 0; first < replies_;) {
    std::size_t count = 1;
    const auto length = buffers_->parts[first].iov_len;
    while (first + count < replies_ && count < kMostSegments && (count + 1) * length <= kMostOctets &&
           together(first, first + count))
      ++count;
    compose_one(messages++, first, count);
    first += count;
  }
  return messages;
}

ReplyBatch::Sent ReplyBatch::send(int fd) {
  auto& b = *buffers_;
  Sent sum;
  auto count = compose();
  auto retried = kMost;
  for (std::size_t done = 0; done < count;) {
    const int sent = sendmmsg(fd, &b.messages[done], static_cast<unsigned>(count - done), 0);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && is_icmp_errno(errno) && done != retried) {  // about an earlier reply; nothing was sent
      sum.icmp_waits = true;
      retried = done;
      continue;
    }
    if (sent > 0) {
      for (int i = 0; i < sent; ++i) sum.octets += b.messages[done++].msg_len;
      continue;
    }
    const auto first = b.first[done];
    const auto held = b.messages[done].msg_hdr.msg_iovlen;
    if (held == 1) {
      sum.error = errno;
      ++sum.failed;
      ++done;
      continue;
    }
    // Not every way out can cut (no checksum offload, a segment above the MTU): one by one, then on with the
    // rest.
    for (std::size_t i = 0; i < held; ++i) {
      compose_one(done, first + i, 1);
      const auto octets = sendmsg(fd, &b.messages[done].msg_hdr, 0);
      if (octets >= 0) {
        sum.octets += static_cast<std::uint64_t>(octets);
      } else {
        sum.error = errno;
        ++sum.failed;
      }
    }
    ++done;
  }
  replies_ = 0;
  return sum;
}

}  // namespace ue::reflector
