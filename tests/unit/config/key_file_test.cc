#include "config/key_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/hmac.h"

namespace ue::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::string kS(64, 'a');
const std::string kT(64, 'b');

Secret secret_of(std::uint8_t octet) {
  Secret s;
  s.fill(octet);
  return s;
}

TEST(KeyFile, Reads) {
  const auto keys = parse_key_file("\xef\xbb\xbf# keys\r\n\r\n\tgateway  0000000A\t00000000000000ff " + kS +
                                       " # home\r\nmaster 0000000a * " + kT +
                                       "\n  \ngateway 0000000b 00000000000000ff " + kT,
                                   "k");
  ASSERT_TRUE(keys.ok()) << keys.error();
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_FALSE((*keys)[0].master);
  EXPECT_EQ((*keys)[0].key_id, 10U);
  EXPECT_EQ((*keys)[0].gateway_id, 255U);
  EXPECT_EQ((*keys)[0].secret, secret_of(0xaa));
  EXPECT_TRUE((*keys)[1].master);
  EXPECT_EQ((*keys)[1].key_id, 10U);
  EXPECT_EQ((*keys)[1].gateway_id, 0U);
  EXPECT_EQ((*keys)[1].secret, secret_of(0xbb));
  EXPECT_EQ((*keys)[2].key_id, 11U);
}

TEST(KeyFile, GeneratesAGatewayKey) {
  std::set<std::string> texts;
  for (int i = 0; i < 16; ++i) {
    const auto text = generate_key_file(false);
    const auto keys = parse_key_file(text, "k");
    ASSERT_TRUE(keys.ok()) << keys.error();
    ASSERT_EQ(keys->size(), 1U);
    EXPECT_FALSE(keys->front().master);
    EXPECT_NE(keys->front().key_id, 0U);
    EXPECT_NE(keys->front().gateway_id, 0U);
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), 16U);
}

TEST(KeyFile, AMasterServesTheGatewaysMadeForIt) {
  const auto master = parse_key_file(generate_key_file(true), "m");
  ASSERT_TRUE(master.ok()) << master.error();
  ASSERT_EQ(master->size(), 1U);
  ASSERT_TRUE(master->front().master);
  std::set<std::uint64_t> gateways;
  for (int i = 0; i < 16; ++i) {
    const auto gateway = parse_key_file(generate_gateway_key_file(master->front()), "g");
    ASSERT_TRUE(gateway.ok()) << gateway.error();
    ASSERT_EQ(gateway->size(), 1U);
    const Key& key = gateway->front();
    EXPECT_FALSE(key.master);
    EXPECT_EQ(key.key_id, master->front().key_id);
    EXPECT_EQ(key.secret, derive_gateway_secret(master->front(), key.gateway_id));
    EXPECT_NE(key.secret, master->front().secret);
    gateways.insert(key.gateway_id);
  }
  EXPECT_EQ(gateways.size(), 16U);
}

// The other side may be written in another language: key id and gateway id are big-endian.
TEST(KeyFile, DerivationIsAsDocumented) {
  Key master;
  master.master = true;
  master.key_id = 0x01020304;
  master.secret = secret_of(0x0b);
  const std::string message("uplink_exporter gateway key\n\x01\x02\x03\x04\x11\x12\x13\x14\x15\x16\x17\x18",
                            40);
  EXPECT_EQ(derive_gateway_secret(master, 0x1112131415161718),
            hmac_sha256(Bytes(32, 0x0b), {as_bytes(message)}));
  EXPECT_NE(derive_gateway_secret(master, 1), derive_gateway_secret(master, 2));
  const Secret before = derive_gateway_secret(master, 1);
  ++master.key_id;
  EXPECT_NE(derive_gateway_secret(master, 1), before);
}

class KeyFileOnDisk : public testing::Test {
 protected:
  KeyFileOnDisk() {
    std::string name = (std::filesystem::temp_directory_path() / "uplink_key_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~KeyFileOnDisk() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& text, mode_t mode = 0600) const {
    const std::string path = directory_ + "/k";
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  std::string directory_;
};

TEST_F(KeyFileOnDisk, PrivateFilesAreRead) {
  for (const mode_t mode : {0600, 0400, 0700}) {
    const auto path = write(generate_key_file(false), mode);
    EXPECT_TRUE(load_key_file(path).ok()) << load_key_file(path).error();
    EXPECT_TRUE(load_gateway_key(path).ok());
    ::unlink(path.c_str());
  }
}

TEST_F(KeyFileOnDisk, FilesThatOthersCanTouchAreNot) {
  const std::string path = write(generate_key_file(false));
  for (const mode_t mode : {0640, 0620, 0604, 0602, 0660, 0644, 0666, 0601}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto keys = load_key_file(path);
    ASSERT_FALSE(keys.ok()) << mode;
    EXPECT_THAT(keys.error(), StartsWith(path + ": mode 06"));
    EXPECT_THAT(keys.error(), HasSubstr("remedy: chmod 600 " + path));
    EXPECT_EQ(load_gateway_key(path).error(), keys.error());
  }
}

TEST_F(KeyFileOnDisk, OnlyRegularFiles) {
  const std::string fifo = directory_ + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(load_key_file(fifo).error(),
            fifo + ": not a regular file; a key file is one");  // and no waiting for a writer
  EXPECT_EQ(load_key_file(directory_).error(), directory_ + ": not a regular file; a key file is one");
  const std::string link = directory_ + "/link";
  ASSERT_EQ(::symlink(write(generate_key_file(false)).c_str(), link.c_str()), 0);
  EXPECT_TRUE(load_key_file(link).ok());
}

TEST_F(KeyFileOnDisk, AMissingFileSaysHowToMakeOne) {
  const std::string path = directory_ + "/none";
  EXPECT_EQ(
      load_key_file(path).error(),
      path + ": No such file or directory; remedy: make a key with 'uplinktool keygen' and put it there");
}

TEST_F(KeyFileOnDisk, FilesOfAnotherUserAreRefused) {
  const auto path = write(generate_key_file(false));
  if (::chown(path.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "giving a file away takes root";
  EXPECT_TRUE(load_key_file(path).ok()) << "root reads a service's key";
  // A user who is let at the file by a capability, not by its mode.
  ASSERT_EQ(::seteuid(12346), 0);
  ::setfsuid(0);
  const auto refused = load_key_file(path);
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(),
            path +
                ": belongs to user 12345, who is neither root nor user 12346 that reads it; remedy: chown "
                "12346 " +
                path);
}

TEST_F(KeyFileOnDisk, ABadLineIsNamedWithThePath) {
  const auto path = write("# mine\ngateway 1\n");
  EXPECT_THAT(load_key_file(path).error(), StartsWith(path + ":2: expected 'gateway KEY-ID"));
}

TEST_F(KeyFileOnDisk, AnAgentHasOneKeyAndNoMaster) {
  const std::string gateway = "gateway 00000001 0000000000000001 " + kS + "\n";
  const std::string other = "gateway 00000001 0000000000000002 " + kT + "\n";
  const auto two = write(gateway + other);
  EXPECT_TRUE(load_key_file(two).ok());
  EXPECT_EQ(load_gateway_key(two).error(),
            two + ": 2 gateway lines; an agent's key file has exactly one, its own");
  const auto master = write(gateway + "master 00000001 * " + kT + "\n");
  EXPECT_TRUE(load_key_file(master).ok());
  EXPECT_THAT(load_gateway_key(master).error(), HasSubstr("'uplinktool keygen --for MASTER_FILE'"));
  const auto one = write(gateway);
  ASSERT_TRUE(load_gateway_key(one).ok());
  EXPECT_EQ(load_gateway_key(one)->gateway_id, 1U);
}

}  // namespace
}  // namespace ue::config
