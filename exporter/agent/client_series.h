#pragma once
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/hmac.h"
#include "config/config.h"
#include "metrics/snapshot.h"
#include "openvpn/tunnel.h"

namespace ue::agent {

/// Chooses which clients of an OpenVPN server get series of their own, and under which label: the first ones
/// that are seen, up to the configured number, for ever, so that their counters never go back; all others
/// share one. Names come out of certificates that others may have written: they never become more series than
/// configured. Owned by a TunnelWatch, on the loop's thread.
class ClientSeries {
 public:
  /// Reads the key file, if one is named; fault() says what is wrong with it.
  explicit ClientSeries(const config::TunnelClients& clients);

  /// Label of what all the clients without series of their own did together. No certificate is called so: a
  /// common name that is, is shown there too.
  static constexpr std::string_view kOthers = "_others";

  bool wanted() const { return limit_ > 0; }
  /// Empty: nothing. While there is a fault no names are shown at all.
  const std::string& fault() const { return fault_; }

  /// Of the tunnel as it is; the same object as before where it learned nothing since.
  std::shared_ptr<const std::vector<metrics::TunnelClient>> read(const openvpn::Tunnel& tunnel);

 private:
  struct Entry {
    std::string name;
    std::string label;
  };
  void admit(std::string_view name);
  std::string label_of(std::string_view name) const;

  std::size_t limit_;
  std::string key_;
  bool hashed_;
  std::string fault_;
  std::vector<Entry> entries_;
  std::set<std::string, std::less<>> names_;
  std::set<std::string, std::less<>> labels_;
  std::uint64_t revision_ = 0;
  std::shared_ptr<const std::vector<metrics::TunnelClient>> newest_;
};

}  // namespace ue::agent
