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

// Alerts whose expression a moment of the story may bring about or not: whether a scrape falls between two sessions.
export const MAY = new Set(['UplinkOpenvpnDisconnected', 'UplinkOpenvpnHandshakeFailing', 'UplinkTunnelBlackhole']);

// Metrics that no sample of the story has, and why.
export const ABSENT = {};
