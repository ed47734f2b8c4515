#include "web/gate.h"

#include <gtest/gtest.h>

namespace ue::web {
namespace {

using namespace std::chrono_literals;

/// The hash that crypt makes itself, for whatever salt.
std::string hash_of(const std::string& password, const std::string& salt = "$2y$04$abcdefghijklmnopqrstuu") {
  crypt_data scratch{};
  return crypt_r(password.c_str(), salt.c_str(), &scratch);
}

constexpr Instant kStart{1h};

TEST(TokenBucket, LetsABurstInAndThenOneEachInterval) {
  TokenBucket bucket;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(1s, 3, kStart)) << i;
  EXPECT_FALSE(bucket.take(1s, 3, kStart));
  EXPECT_FALSE(bucket.take(1s, 3, kStart + 999ms));
  EXPECT_TRUE(bucket.take(1s, 3, kStart + 1s));
  EXPECT_FALSE(bucket.take(1s, 3, kStart + 1s));
}

TEST(TokenBucket, HoldsNoMoreThanABurst) {
  TokenBucket bucket;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(bucket.take(1s, 2, kStart));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(bucket.take(1s, 2, kStart + 1h));
  EXPECT_FALSE(bucket.take(1s, 2, kStart + 1h));
}

TEST(Passwords, OnlyTheRightOneIsRightAndItIsWorkedOutOnce) {
  Passwords passwords;
  const std::map<std::string, std::string> users{{"ops", hash_of("geheim")}};
  EXPECT_FALSE(passwords.right(users, "ops", "Geheim"));
  EXPECT_FALSE(passwords.right(users, "ops", ""));
  EXPECT_TRUE(passwords.right(users, "ops", "geheim"));
  EXPECT_EQ(passwords.computed(), 3u);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(passwords.right(users, "ops", "geheim"));
  EXPECT_EQ(passwords.computed(), 3u);
  // What was right of a hash is not right of the next one.
  EXPECT_FALSE(passwords.right({{"ops", hash_of("neu")}}, "ops", "geheim"));
}

TEST(Passwords, AnUnknownNameCostsAsMuchAsAKnownOne) {
  Passwords passwords;
  const std::map<std::string, std::string> users{{"ops", hash_of("geheim")}};
  EXPECT_TRUE(passwords.right(users, "ops", "geheim"));
  for (int i = 1; i <= 3; ++i) {
    EXPECT_FALSE(passwords.right(users, "nobody", "geheim"));
    EXPECT_EQ(passwords.computed(), 1u + static_cast<unsigned>(i));  // never from memory
  }
}

TEST(Passwords, WhatFollowsANulIsPartOfThePassword) {
  Passwords passwords;
  EXPECT_FALSE(passwords.right({{"ops", hash_of("geheim")}}, "ops", std::string("geheim\0x", 8)));
}

TEST(Passwords, RemembersABoundedNumber) {
  Passwords passwords;
  for (std::size_t i = 0; i < Passwords::kRemembered + 5; ++i) {
    const auto password = std::to_string(i);
    const std::map<std::string, std::string> users{{"u", hash_of(password)}};
    EXPECT_TRUE(passwords.right(users, "u", password));
    EXPECT_TRUE(passwords.right(users, "u", password));
  }
  EXPECT_EQ(passwords.computed(), Passwords::kRemembered + 5);
}

TEST(ParseBasic, TakesWhatRfc7617HasAndNothingElse) {
  const auto good = parse_basic("Basic b3BzOmdlOmhlaW0=");
  EXPECT_EQ(good.name, "ops");
  EXPECT_EQ(good.password, "ge:heim");
  EXPECT_EQ(parse_basic("bAsIc b3BzOg==").name, "ops");
  for (const char* bad : {"", "Basic", "Basic ", "Bearer b3BzOmdlaGVpbQ==", "Basic b3BzOmdlaGVpbQ",
                          "Basic !!!!", "Basic b3Bz", "Basic =b3B", "Basic b3=zOg=="}) {
    EXPECT_EQ(parse_basic(bad).name, "") << bad;
  }
}

TEST(Gate, AsksWhoComesOnlyWhereThereAreUsers) {
  Gate gate;
  config::WebConfig demands;
  EXPECT_FALSE(gate.refuse(demands, "prog", "", kStart));
  demands.users = {{"ops", hash_of("geheim")}};
  const auto refused = gate.refuse(demands, "prog", "", kStart);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_EQ(refused->headers.at("WWW-Authenticate"), "Basic realm=\"prog\", charset=\"UTF-8\"");
  EXPECT_FALSE(gate.refuse(demands, "prog", "Basic b3BzOmdlaGVpbQ==", kStart));
  EXPECT_TRUE(gate.refuse(demands, "prog", "Basic b3BzOmdlaGVpbA==", kStart));
}

TEST(Gate, ChargesTheLimitBeforeAnyPasswordIsWorkedOut) {
  Gate gate;
  config::WebConfig demands;
  demands.users = {{"ops", hash_of("geheim")}};
  demands.rate_interval = 1s;
  demands.rate_burst = 2;
  for (const int status : {401, 401, 429, 429})
    EXPECT_EQ(gate.refuse(demands, "prog", "", kStart)->status, status);
  EXPECT_EQ(gate.refuse(demands, "prog", "", kStart + 1s)->status, 401);
}

}  // namespace
}  // namespace ue::web
