#pragma once
#include <ctime>
#include <map>
#include <string>
#include <string_view>

namespace ue::web {

/// "Not Found"; "Error" for a status that neither this program nor civetweb answers with.
std::string_view reason_phrase(int status);

struct Response {
  int status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers{};  ///< beside, or in place of, those that every answer has
};

/// The octets of an HTTP/1.1 answer that closes the connection, with the headers that keep a browser from
/// doing more with it than showing it; `configured` ones take the place of those of the same name, "" leaves
/// one out. Without `with_body` (HEAD) Content-Length stays that of the body.
std::string to_http(const Response& response, const std::map<std::string, std::string>& configured,
                    bool with_body, std::time_t now);

}  // namespace ue::web
