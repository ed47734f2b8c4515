"""What rows of the matrix add to the lab's world: a slow way, IPv6, and irtt beside our own probes."""
import json
import os
import subprocess
import sys

from . import netns, topology, world

IRTT_PORT = 2112
CLOUD6, GATEWAY6 = "2001:db8:33::44", "2001:db8:1::2"


def slow_way(delay, jitter, duplicates, reordered):
    """Between carrier and cloud everything is late, in both directions; ms, ms, percent, percent."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tun_delay.py")
    loop = world.Process("inet", "tun_delay", [sys.executable, script, "loop", *map(str, (delay, jitter, duplicates, reordered))])
    world.wait_until(lambda: "up" in loop.output() or loop.must_live(), 15, "the TUN loop")
    for where in ("all", "loop", "tocgn", "tocloud"):
        netns.sysctl("inet", **{f"net__ipv4__conf__{where}__rp_filter": 0})
    netns.ip("inet", "route add default dev loop table 200", "rule add iif tocgn lookup 200",
             f"rule add iif tocloud to {topology.POOL}/28 lookup 200")


def add_ipv6():
    """IPv6 from the gateway through the carrier to the cloud, without any translation."""
    addresses = (("gw", "eth2", GATEWAY6), ("cgn", "sub", "2001:db8:1::1"), ("cgn", "pub", "2001:db8:2::1"),
                 ("inet", "tocgn", "2001:db8:2::2"), ("inet", "tocloud", "2001:db8:33::1"), ("cloud", "eth0", CLOUD6))
    for name, interface, address in addresses:
        netns.ip(name, f"addr add {address}/64 dev {interface} nodad")
    for name in ("cgn", "inet"):
        netns.sysctl(name, net__ipv6__conf__all__forwarding=1)
    netns.ip("gw", "route add default via 2001:db8:1::1 dev eth2")
    netns.ip("cgn", "route add default via 2001:db8:2::2")
    netns.ip("inet", "route add 2001:db8:1::/64 via 2001:db8:2::1")
    netns.ip("cloud", "route add default via 2001:db8:33::1")


def ipv6_firewall(udp_returns=True):
    """The carrier lets in what answers something; without a return, no UDP."""
    early = "" if udp_returns else 'iifname "pub" meta l4proto udp drop'
    netns.run("cgn", "nft", "-f", "-", stdin=f"""
table ip6 firewall
delete table ip6 firewall
table ip6 firewall {{
  chain early {{ type filter hook prerouting priority raw; {early}; }}
  chain onward {{
    type filter hook forward priority filter;
    iifname "pub" meta l4proto icmpv6 accept
    iifname "pub" ct state != {{ established, related }} drop
  }}
}}
""" if early else """
table ip6 firewall
delete table ip6 firewall
table ip6 firewall {
  chain onward {
    type filter hook forward priority filter;
    iifname "pub" meta l4proto icmpv6 accept
    iifname "pub" ct state != { established, related } drop
  }
}
""")


class Irtt:
    """irtt against its own server in the cloud for ten seconds, five packets a second; see research in the README."""

    def __init__(self, carrier):
        self._carrier = carrier
        server = world.Process("cloud", "irtt-server", ["irtt", "server", "-b", f"{topology.CLOUD}:{IRTT_PORT}"])
        # A client that asks before the server listens is refused, and gives up at once.
        world.wait_until(lambda: f":{IRTT_PORT} " in netns.run("cloud", "ss", "-lun") or server.must_live(), 15, "irtt's server")
        self._client = subprocess.Popen(
            ["ip", "netns", "exec", "gw", "irtt", "client", "-i", "200ms", "-d", "12s", "-Q", "-o", "-",
             f"--local={topology.GATEWAY_CARRIER}", f"{topology.CLOUD}:{IRTT_PORT}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def result(self):
        """("up/down" in percent as irtt says, the same in truth)."""
        try:
            text = self._client.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            self._client.kill()
            return "no end", "-"
        try:
            stats = json.loads(text[text.index("{"):])["stats"]
        except (ValueError, KeyError):
            return "no answer", self._truth(60)
        told = f"{stats['upstream_loss_percent']:.0f}/{stats['downstream_loss_percent']:.0f}"
        return told, self._truth(stats["packets_sent"])

    def _truth(self, sent):
        lost = {"up": 0, "down": 0}
        for (source, destination), packets in self._carrier.dropped().items():
            if IRTT_PORT in (source, destination):
                lost["down" if source == IRTT_PORT else "up"] += packets
        arrived = max(sent - lost["up"], 1)
        return f"{100 * min(lost['up'] / sent, 1):.0f}/{100 * min(lost['down'] / arrived, 1):.0f}"
