// What the seed's story brings about, and what it has no case of.

// Alerts whose expression holds at some time of the story: the carrier turns, three of its gateways see it, the tunnel
// loops, and the cure takes a destination of home-2 off the uplink that its configuration names.
export const FIRES = new Set([
  'UplinkUdpOneWay',
  'UplinkCarrierOneWay',
  'UplinkFaultFresh',
  'UplinkOpenvpnReconnectLoop',
  'UplinkOpenvpnOneWayLoop',
  'UplinkRouteMismatch',
  'UplinkWatchdog',
]);

// Alerts that a moment of the story may bring about or not: whether a scrape falls between two sessions.
export const MAY = new Set(['UplinkOpenvpnDisconnected', 'UplinkOpenvpnHandshakeFailing']);

// Metrics that no sample of the story has, and why.
export const ABSENT = {};
