#pragma once
#include <string>
#include <utility>
#include <variant>

namespace ue {

/// Why something failed, in words for the operator: what, where, and what to do about it.
struct Error {
  std::string message;
};

/// A value or the reason why there is none. Used wherever failing is ordinary (a file, a socket, a packet);
/// exceptions stay with programmer errors. Reading the side that is not there throws std::bad_variant_access.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}       // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}   // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() { return std::get<0>(state_); }
  const T& operator*() const { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const std::string& error() const { return std::get<1>(state_).message; }

 private:
  std::variant<T, Error> state_;
};

/// Error of the last system call: "what: strerror(code)".
Error errno_error(const std::string& what, int code);

}  // namespace ue
