#pragma once
#include <ctime>
#include <string>
#include <string_view>

namespace ue::web {

/// "Not Found"; "Error" for a status that neither this program nor civetweb answers with.
std::string_view reason_phrase(int status);

struct Response {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string_view allow{};  ///< for 405
};

/// The octets of an HTTP/1.1 answer that closes the connection, with the headers that keep a browser from
/// doing more with it than showing it. Without `with_body` (HEAD) Content-Length stays that of the body.
std::string to_http(const Response& response, bool with_body, std::time_t now);

}  // namespace ue::web
