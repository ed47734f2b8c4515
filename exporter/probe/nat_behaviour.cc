#include "probe/nat_behaviour.h"

#include <algorithm>

namespace ue::probe {

namespace {

bool in(const IpAddress& address, const char* network, unsigned length) {
  return in_prefix(address, *IpAddress::parse(network), length);
}

}  // namespace

std::string_view name(Mapping m) {
  switch (m) {
    case Mapping::none:
      return "none";
    case Mapping::endpoint_independent:
      return "endpoint_independent";
    case Mapping::address_dependent:
      return "address_dependent";
    case Mapping::address_and_port_dependent:
      return "address_and_port_dependent";
    case Mapping::destination_dependent:
      return "destination_dependent";
    case Mapping::per_packet:
      return "per_packet";
    case Mapping::unknown:
      break;
  }
  return "unknown";
}

std::string_view name(Filtering f) {
  switch (f) {
    case Filtering::endpoint_independent:
      return "endpoint_independent";
    case Filtering::address_dependent:
      return "address_dependent";
    case Filtering::address_and_port_dependent:
      return "address_and_port_dependent";
    case Filtering::unknown:
      break;
  }
  return "unknown";
}

std::string_view name(CarrierGrade c) {
  switch (c) {
    case CarrierGrade::none:
      return "none";
    case CarrierGrade::yes:
      return "yes";
    case CarrierGrade::unknown:
      break;
  }
  return "unknown";
}

Mapping classify_mapping(const std::vector<Sighting>& sightings, const Endpoint& own) {
  if (sightings.empty()) return Mapping::unknown;
  if (std::all_of(sightings.begin(), sightings.end(), [&](const auto& s) { return s.mapped == own; }))
    return Mapping::none;
  bool same_over_addresses = false;
  bool differs_over_addresses = false;
  bool same_over_ports = false;
  for (auto a = sightings.begin(); a != sightings.end(); ++a) {
    for (auto b = std::next(a); b != sightings.end(); ++b) {
      const bool same = a->mapped == b->mapped;
      if (a->target.address != b->target.address) {
        (same ? same_over_addresses : differs_over_addresses) = true;
      } else if (a->target.port != b->target.port) {
        if (!same) return Mapping::address_and_port_dependent;
        same_over_ports = true;
      }
    }
  }
  if (differs_over_addresses)
    return same_over_ports ? Mapping::address_dependent : Mapping::destination_dependent;
  return same_over_addresses ? Mapping::endpoint_independent : Mapping::unknown;
}

bool is_carrier_shared(const IpAddress& address) { return in(address, "100.64.0.0", 10); }

bool is_public(const IpAddress& address) {
  if (address.is_unspecified() || address.is_loopback() || address.is_link_local()) return false;
  if (!address.is_v4()) return in(address, "2000::", 3);
  return !is_carrier_shared(address) && !in(address, "10.0.0.0", 8) && !in(address, "172.16.0.0", 12) &&
         !in(address, "192.168.0.0", 16) && !in(address, "192.0.0.0", 24);
}

CarrierGrade carrier_grade(const IpAddress& own, const IpAddress& mapped,
                           const std::vector<IpAddress>& beyond) {
  if (mapped == own) return CarrierGrade::none;
  // Who has a public address and is seen by another is translated by somebody who is not at home.
  if (is_carrier_shared(own) || is_public(own)) return CarrierGrade::yes;
  // 192.0.0.0/29 is the inner side of DS-Lite and 464XLAT (RFC 7335): the carrier's NAT is behind it.
  if (in(own, "192.0.0.0", 29)) return CarrierGrade::yes;
  return std::any_of(beyond.begin(), beyond.end(), is_carrier_shared) ? CarrierGrade::yes
                                                                      : CarrierGrade::unknown;
}

}  // namespace ue::probe
