#include "uplink/binding.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace ue::uplink {

namespace {

Error device_error(const Binding& binding, int code) {
  const auto what = fmt::format("binding a socket to interface {}", binding.interface);
  if (code == ENODEV) {
    return Error{
        fmt::format("{}: the interface does not exist (it may come back; else check `interface:`)", what)};
  }
  if (code == EPERM) {
    return Error{fmt::format("{}: not permitted; grant the program CAP_NET_RAW", what)};
  }
  return errno_error(what, code);
}

Error mark_error(const Binding& binding, int code) {
  const auto what = fmt::format("setting fwmark {:#x} for interface {}", binding.fwmark, binding.interface);
  if (code == EPERM) {
    return Error{
        fmt::format("{}: not permitted; grant the program CAP_NET_ADMIN (from Linux 5.17 on CAP_NET_RAW "
                    "is enough), or leave out `fwmark:`",
                    what)};
  }
  return errno_error(what, code);
}

Error source_error(const Binding& binding, int code) {
  const auto what =
      fmt::format("using source address {} on interface {}", binding.source->to_string(), binding.interface);
  if (code == EADDRNOTAVAIL) {
    return Error{
        fmt::format("{}: the address is not there (any more); it is looked up anew when it changes", what)};
  }
  return errno_error(what, code);
}

}  // namespace

Result<std::monostate> bind_to_uplink(int fd, const Binding& binding) {
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, binding.interface.c_str(),
                 static_cast<socklen_t>(binding.interface.size())) != 0) {
    return device_error(binding, errno);
  }
  if (binding.fwmark != 0 &&
      setsockopt(fd, SOL_SOCKET, SO_MARK, &binding.fwmark, sizeof binding.fwmark) != 0) {
    return mark_error(binding, errno);
  }
  if (binding.source) {
    sockaddr_storage address{};
    const auto size = Endpoint{*binding.source, 0}.to_sockaddr(address, binding.family == Family::ipv6);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) return source_error(binding, errno);
  }
  return std::monostate{};
}

}  // namespace ue::uplink
