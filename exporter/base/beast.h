#pragma once
// Boost.Beast and Asio's coroutines, for the two translation units that speak HTTP with them (the agent's client, the
// reflector's query server). It costs 10 s of compile time: no header includes it.
#include <utility>  // must come before Boost 1.74's Asio with GCC 12

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 at -O1 inlines one half of Asio's own new and delete of coroutine frames and then misses the other.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace ue {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

/// A coroutine that is resumed with `error` set rather than thrown at.
inline auto quietly(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace ue
