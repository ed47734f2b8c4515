#pragma once
#include "agent/query_client.h"

namespace ue::agent {

/// One Binding exchange over TCP (RFC 8489 §6.2.2) from a socket bound to `through`: shows that TCP passes
/// where UDP does not come back. `done` is called once, on the loop, after at most `timeout`; its error is
/// empty where the server answered this very request.
void ask_stun_over_tcp(boost::asio::io_context& loop, const uplink::Binding& through, const Endpoint& server,
                       Nanos timeout, std::function<void(QueryResult)> done);

}  // namespace ue::agent
