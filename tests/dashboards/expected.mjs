// What the seed's story brings about, and what it has no case of.

// Alerts whose expression holds at some time of the story.
export const FIRES = new Set([
  'UplinkUdpOneWay',
  'UplinkOpenvpnReconnectLoop',
  'UplinkOpenvpnOneWayLoop',
  'UplinkOpenvpnDisconnected',
  'UplinkWatchdog',
]);

// Metrics that no sample of the story has, and why.
export const ABSENT = {};
