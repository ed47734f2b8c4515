#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace ue::openvpn {

/// Reads a log from its beginning to its end, plain or compressed by gzip, and hands on the text piece by
/// piece; "-" is standard input. The error names the file and the remedy: it cannot be opened or read, or its
/// compressed data is damaged (what came before the damage was handed on).
Result<std::monostate> read_log_archive(const std::string& file,
                                        const std::function<void(std::string_view)>& use);

}  // namespace ue::openvpn
