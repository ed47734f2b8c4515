#include "config/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "base/hmac.h"
#include "config/file.h"
#include "config/text.h"

namespace ue::config {

namespace {

constexpr std::size_t kMaxKeyFileSize = 16 << 20;  // some 180,000 gateways with a line each

constexpr std::string_view kGatewayLine =
    "expected 'gateway KEY-ID(8 hex) GATEWAY-ID(16 hex) SECRET(64 hex)'";
constexpr std::string_view kMasterLine = "expected 'master KEY-ID(8 hex) * SECRET(64 hex)'";

/// Splits at blanks; a '#' ends the line.
std::vector<std::string_view> fields_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> out;
  while (true) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return out;
    line.remove_prefix(begin);
    const auto size = std::min(line.find_first_of(" \t"), line.size());
    out.push_back(line.substr(0, size));
    line.remove_prefix(size);
  }
}

/// What a line's fields say, or what is wrong with them. The words never repeat a field: it may be a secret.
Result<Key> parse_line(const std::vector<std::string_view>& fields) {
  Key key;
  if (fields[0] != "gateway" && fields[0] != "master") {
    return Error{"expected a line that begins with 'gateway' or 'master'"};
  }
  key.master = fields[0] == "master";
  const std::string shape(key.master ? kMasterLine : kGatewayLine);
  if (fields.size() != 4) return Error{fmt::format("{}, found {} fields", shape, fields.size())};

  const auto id = fields[1].size() == 8 ? u64_from_hex(fields[1]) : std::nullopt;
  if (!id) return Error{shape + "; the key id is not 8 hexadecimal digits"};
  key.key_id = static_cast<std::uint32_t>(*id);

  if (key.master) {
    if (fields[2] != "*") return Error{shape + "; a master's third field is *"};
  } else {
    const auto gateway = fields[2].size() == 16 ? u64_from_hex(fields[2]) : std::nullopt;
    if (!gateway) return Error{shape + "; the gateway id is not 16 hexadecimal digits"};
    if (*gateway == 0) return Error{"the gateway id is zero, which no gateway may have"};
    key.gateway_id = *gateway;
  }

  const auto secret = fields[3].size() == 64 ? from_hex(fields[3]) : std::nullopt;
  if (!secret) return Error{shape + "; the secret is not 64 hexadecimal digits"};
  std::copy(secret->begin(), secret->end(), key.secret.begin());
  if (key.secret == Secret{})
    return Error{"the secret is all zeros; make a real one with 'uplinktool keygen'"};
  return key;
}

/// Why this file must not hold keys, in words with the remedy; nothing where it may.
std::optional<Error> refuse(const std::string& path, const struct stat& st) {
  if (!S_ISREG(st.st_mode)) return Error{path + ": not a regular file; a key file is one"};
  if ((st.st_mode & 077) != 0) {
    return Error{fmt::format("{}: mode {:04o} lets others than its owner at the keys; remedy: chmod 600 {}",
                             path, st.st_mode & 07777, path)};
  }
  // Root reads the daemons' keys, which belong to users of theirs: `uplinktool diagnose` on a packaged
  // gateway.
  if (st.st_uid != 0 && st.st_uid != ::geteuid() && ::geteuid() != 0) {
    return Error{fmt::format(
        "{}: belongs to user {}, who is neither root nor user {} that reads it; remedy: chown {} {}", path,
        st.st_uid, ::geteuid(), ::geteuid(), path)};
  }
  return std::nullopt;
}

std::string gateway_line(std::uint32_t key_id, std::uint64_t gateway_id, const Secret& secret) {
  return fmt::format("gateway {:08x} {:016x} {}\n", key_id, gateway_id, to_hex(ByteView(secret)));
}

std::uint64_t random_id(std::uint64_t mask) {
  std::uint64_t id = 0;
  while (id == 0) id = random_u64() & mask;
  return id;
}

Secret random_secret() {
  Secret s{};
  random_fill(s);
  return s;
}

}  // namespace

Result<std::vector<Key>> parse_key_file(std::string_view text, const std::string& file) {
  const std::string clean = normalise_text(text);
  std::string_view rest = clean;
  std::vector<Key> keys;
  std::map<std::pair<std::uint32_t, std::uint64_t>, int> lines;
  for (int line = 1; !rest.empty(); ++line) {
    const auto fields = fields_of(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(rest.size(), std::min(rest.find('\n'), rest.size()) + 1));
    if (fields.empty()) continue;
    const auto key = parse_line(fields);
    if (!key) return Error{fmt::format("{}:{}: {}", file, line, key.error())};
    const auto [first, fresh] = lines.emplace(std::pair(key->key_id, key->gateway_id), line);
    if (!fresh) {
      return Error{fmt::format("{}:{}: key id {:08x} with {} stands in line {} already", file, line,
                               key->key_id, key->master ? "a master" : "this gateway id", first->second)};
    }
    keys.push_back(*key);
  }
  if (keys.empty()) return Error{file + ":1: no key in this file; make one with 'uplinktool keygen'"};
  return keys;
}

Result<std::vector<Key>> load_key_file(const std::string& path) {
  // O_NONBLOCK: a FIFO must be refused, not waited for.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const int code = errno;
    Error error = errno_error(path, code);
    if (code == EACCES) error.message += fmt::format("; remedy: chown {} {}", ::geteuid(), path);
    if (code == ENOENT) error.message += "; remedy: make a key with 'uplinktool keygen' and put it there";
    return error;
  }
  // Judged by the descriptor: the file that is read is the file whose mode was seen.
  struct stat st {};
  const bool known = ::fstat(fd, &st) == 0;
  const int code = errno;
  auto error = known ? refuse(path, st) : std::optional<Error>(errno_error(path, code));
  const auto text = error ? Result<std::string>(*error) : read_descriptor(fd, path, kMaxKeyFileSize);
  ::close(fd);
  if (!text) return Error{text.error()};
  return parse_key_file(*text, path);
}

Result<Key> load_gateway_key(const std::string& path) {
  const auto keys = load_key_file(path);
  if (!keys) return Error{keys.error()};
  for (const auto& key : *keys) {
    if (!key.master) continue;
    return Error{
        path +
        ": a master key must not leave the reflector's host; make this gateway a key of its own there with "
        "'uplinktool keygen --for MASTER_FILE'"};
  }
  if (keys->size() != 1) {
    return Error{fmt::format("{}: {} gateway lines; an agent's key file has exactly one, its own", path,
                             keys->size())};
  }
  return keys->front();
}

Secret derive_gateway_secret(const Key& master, std::uint64_t gateway_id) {
  std::array<std::uint8_t, 12> ids{};
  put_u32(ids.data(), master.key_id);
  put_u64(ids.data() + 4, gateway_id);
  return hmac_sha256(master.secret, {as_bytes("uplink_exporter gateway key\n"), ids});
}

std::string generate_key_file(bool master) {
  const auto key_id = static_cast<std::uint32_t>(random_id(0xffffffff));
  if (master) {
    return fmt::format(
        "# uplink_exporter master key. Keep it on the reflector's host only (key_file, chmod 600); every "
        "gateway gets a\n"
        "# key of its own from 'uplinktool keygen --for THIS_FILE'.\n"
        "master {:08x} * {}\n",
        key_id, to_hex(ByteView(random_secret())));
  }
  return "# uplink_exporter gateway key. Put this same file on the gateway and on the reflector's host, name "
         "it as key_file\n"
         "# on both sides, and keep it private (chmod 600).\n" +
         gateway_line(key_id, random_id(~0ULL), random_secret());
}

std::string generate_gateway_key_file(const Key& master) {
  const auto gateway_id = random_id(~0ULL);
  return fmt::format(
             "# uplink_exporter gateway key, derived from master {:08x}. Put it on one gateway only "
             "(key_file, chmod 600);\n"
             "# the reflector that has the master needs no copy.\n",
             master.key_id) +
         gateway_line(master.key_id, gateway_id, derive_gateway_secret(master, gateway_id));
}

}  // namespace ue::config
