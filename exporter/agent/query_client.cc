#include "agent/query_client.h"

#include "agent/http_client.h"
#include "stamp/query.h"

namespace ue::agent {

void post_query(boost::asio::io_context& loop, const uplink::Binding& through, const Endpoint& reflector,
                const std::string& body, const std::string& authentication, Nanos timeout,
                std::function<void(QueryResult)> done) {
  HttpPost question;
  question.server = {reflector.address.to_string(), reflector.port};
  question.through = through;
  question.path = stamp::kQueryPath;
  if (!authentication.empty()) question.headers = {{std::string(stamp::kQueryHeader), authentication}};
  question.body = body;
  question.wanted_header = stamp::kQueryHeader;
  question.longest_answer = stamp::kMaxBody;
  question.timeout = timeout;
  post(loop, std::move(question), [done = std::move(done)](HttpAnswer answer) {
    QueryResult result;
    result.connected = answer.connected;
    result.refused = answer.refused;
    result.connect_time = answer.connect_time;
    result.error = std::move(answer.error);
    if (result.error.empty() && answer.status != 200)
      result.error = "the query was answered with HTTP status " + std::to_string(answer.status);
    if (result.error.empty()) {
      result.body = std::move(answer.body);
      result.authentication = std::move(answer.header);
    }
    done(std::move(result));
  });
}

}  // namespace ue::agent
