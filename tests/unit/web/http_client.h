#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

namespace ue::web {

/// A connection to 127.0.0.1 that says exactly what the test wants said. Reads give up after `patience`.
class Client {
 public:
  explicit Client(int port, int patience_seconds = 20) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{patience_seconds, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void send(const std::string& text) const { (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  /// Exactly so much, or less where the server closes before.
  std::string read(std::size_t size) const {
    std::string out(size, '\0');
    std::size_t got = 0;
    for (ssize_t n = 0; got < size && (n = recv(fd_, out.data() + got, size - got, 0)) > 0;)
      got += static_cast<std::size_t>(n);
    return out.substr(0, got);
  }
  /// Until the server closes.
  std::string read_all() const {
    std::string out;
    char buffer[4096];
    for (ssize_t n = 0; (n = recv(fd_, buffer, sizeof buffer, 0)) > 0;)
      out.append(buffer, static_cast<std::size_t>(n));
    return out;
  }

 private:
  int fd_;
  bool connected_ = false;
};

struct Reply {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

inline Reply parse_reply(const std::string& text) {
  Reply reply;
  const auto end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return reply;
  reply.status = std::atoi(text.c_str() + 9);
  for (auto at = text.find("\r\n") + 2; at < end + 2;) {
    const auto eol = text.find("\r\n", at);
    const auto colon = text.find(": ", at);
    std::string name = text.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    reply.headers[name] = text.substr(colon + 2, eol - colon - 2);
    at = eol + 2;
  }
  reply.body = text.substr(end + 4);
  return reply;
}

inline Reply request(int port, const std::string& method, const std::string& target,
                     const std::string& body = "", int patience_seconds = 20) {
  const Client client(port, patience_seconds);
  client.send(method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  return parse_reply(client.read_all());
}

}  // namespace ue::web
