// The whole reflector on loopback sockets, with as many shards as there are cores.
#include "reflector/service.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "reflector/shard_choice.h"
#include "sender.h"

namespace ue::reflector {
namespace {

class Running {
 public:
  Running() {
    char name[] = "/tmp/uplink_service_XXXXXX";
    directory_ = mkdtemp(name);
    const auto file = directory_ + "/reflector.yml";
    std::ofstream(file) << "listen: [\"127.0.0.1:" << free_port() << "\"]\nallow_unauthenticated: true\n"
                        << "limits: {packets_per_second_per_source: 1000000}\n";
    auto settings = load_settings(file);
    EXPECT_TRUE(settings) << settings.error();
    target_ = {*IpAddress::parse("127.0.0.1"), settings->config.listen.front().port};
    auto service = Service::start(file, std::move(*settings), [this](const Status& status) {
      const std::lock_guard lock(mutex_);
      status_ = status;
    });
    EXPECT_TRUE(service) << service.error();
    service_ = std::move(*service);
    thread_ = std::thread([this] { service_->run(); });
  }
  ~Running() {
    service_->stop();
    thread_.join();
    service_.reset();
    std::filesystem::remove_all(directory_);
  }

  void send(int fd, const Bytes& packet) {
    sockaddr_storage to{};
    const auto size = target_.to_sockaddr(to);
    EXPECT_EQ(sendto(fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&to), size),
              static_cast<ssize_t>(packet.size()));
  }
  /// Nothing where none comes within ten seconds.
  std::optional<stamp::ReflectorPacket> receive(int fd) {
    pollfd ready{fd, POLLIN, 0};
    Bytes reply(kMaxDatagram);
    const auto got = poll(&ready, 1, 10'000) == 1 ? recv(fd, reply.data(), reply.size(), 0) : -1;
    if (got < 0) return std::nullopt;
    reply.resize(static_cast<std::size_t>(got));
    return stamp::parse_reflector(reply, stamp::Mode::unauthenticated);
  }
  /// Sends one packet from a port of its own and waits for its reply.
  std::optional<stamp::ReflectorPacket> exchange(const Bytes& packet) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    send(fd, packet);
    const auto reply = receive(fd);
    close(fd);
    return reply;
  }
  Status status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  static std::uint16_t free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_storage address{};
    auto size = Endpoint{*IpAddress::parse("127.0.0.1"), 0}.to_sockaddr(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd, raw, size), 0);
    EXPECT_EQ(getsockname(fd, raw, &size), 0);
    close(fd);
    return Endpoint::from_sockaddr(raw).port;
  }

  std::string directory_;
  Endpoint target_;
  std::mutex mutex_;
  Status status_;
  std::unique_ptr<Service> service_;
  std::thread thread_;
};

TEST(Service, ASessionStaysWithItsShardWhateverPortItComesFrom) {
  Running reflector;
  for (std::uint16_t ssid = 0; ssid < 16; ++ssid) {
    auto sender = open_sender(ssid);
    sender.ssid = ssid;
    // Another shard would know nothing of the session and number its replies from 0.
    for (std::uint32_t i = 0; i < 4; ++i) {
      const auto reply = reflector.exchange(sender.named(i));
      ASSERT_TRUE(reply) << ssid;
      EXPECT_EQ(reply->sequence, i) << ssid;
    }
  }
}

// Replies of one length to one port leave together: each must be a datagram of its own with its own contents.
TEST(Service, AFastSendersRepliesStayApart) {
  Running reflector;
  constexpr std::uint32_t kPackets = 2'000;
  auto sender = open_sender(9);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::set<std::uint32_t> answered;
  for (std::uint32_t sent = 0; sent < kPackets;) {
    for (int i = 0; i < 50; ++i, ++sent) {
      // Three long ones among the short, so that runs end.
      const auto packet = sent % 17 == 3 ? sender.named(sent) : sender.base(sent);
      reflector.send(fd, sent == 0 ? sender.named(0) : packet);
    }
    while (answered.size() < sent) {
      const auto reply = reflector.receive(fd);
      ASSERT_TRUE(reply) << answered.size();
      EXPECT_TRUE(answered.insert(reply->sender_sequence).second) << reply->sender_sequence;
    }
  }
  close(fd);
  EXPECT_EQ(*answered.rbegin(), kPackets - 1);
}

TEST(Service, CountsOverAllShards) {
  Running reflector;
  for (std::uint16_t ssid = 0; ssid < 8; ++ssid) {
    auto sender = open_sender(ssid);
    sender.ssid = ssid;
    ASSERT_TRUE(reflector.exchange(sender.named(0)));
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (reflector.status().sessions < 8 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  const auto status = reflector.status();
  EXPECT_EQ(status.sessions, 8U);
  EXPECT_EQ(status.packets.at("reflected"), 8U);
  EXPECT_GE(status.batches, 1U);
  EXPECT_LE(status.batches, 8U);
  EXPECT_EQ(status.kernel_drops, 0U);
  EXPECT_EQ(status.sessions_limit, 100'000U);
}

/// What the kernel would choose, by running the program in it: sixteen sockets on one port.
TEST(ShardChoice, IsTheSsidOfEitherMode) {
  constexpr std::uint32_t kShards = 16;
  std::vector<int> sockets;
  sockaddr_storage address{};
  auto size = Endpoint{*IpAddress::parse("127.0.0.1"), 0}.to_sockaddr(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  for (std::uint32_t i = 0; i < kShards; ++i) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    if (i == 0) {
      auto program = shard_choice(kShards);
      const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
      ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter), 0);
    }
    ASSERT_EQ(bind(fd, raw, size), 0);
    ASSERT_EQ(getsockname(fd, raw, &size), 0);
    sockets.push_back(fd);
  }
  const int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto arrives_at = [&](const Bytes& packet) {
    EXPECT_GE(sendto(from, packet.data(), packet.size(), 0, raw, size), 0);
    for (std::uint32_t i = 0; i < kShards; ++i) {
      char waste[64];
      if (recv(sockets[i], waste, sizeof waste, 0) >= 0) return static_cast<int>(i);
    }
    return -1;
  };
  for (const int number : {0, 1, 15, 16, 0x1234, 0xffff}) {
    const auto ssid = static_cast<std::uint16_t>(number);
    auto sender = open_sender();
    auto signing = keyed();
    sender.ssid = signing.ssid = ssid;
    EXPECT_EQ(arrives_at(sender.base(0)), ssid % kShards);
    EXPECT_EQ(arrives_at(signing.base(0)), ssid % kShards);
  }
  EXPECT_EQ(arrives_at(Bytes(3)), 0);
  EXPECT_EQ(arrives_at(Bytes(20)), 0) << "as authenticated, without its SSID";
  for (const int fd : sockets) close(fd);
  close(from);
}

}  // namespace
}  // namespace ue::reflector
