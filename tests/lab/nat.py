"""What a NAT on the path may do to us, by name.

A NAT's translation stays in one table; a behaviour is a second table beside it, replaced live in one transaction, so
that flows which stand keep standing unless the behaviour itself ends them. Chains see packets like this:

    prerouting raw (-300, before conntrack)   mangle (-150)   forward filter (0)   postrouting srcnat (100)
"""
import json
import re

from . import netns, topology, world
from .nat_faults import NatFaults
from .nat_types import NatTypes

REMEMBERED = 3600  # s that a NAT remembers what it took
_LOSS = re.compile(r"(\d+) \. (\d+) counter packets \d+ bytes \d+ expires (\w+)")
_PART = re.compile(r"(\d+)(h|ms|m|s)")
_SECONDS = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


class Nat(NatTypes, NatFaults):
    """One NAT box: its namespace, its inside and outside interface, and how it translates."""

    everyone = []

    def __init__(self, name, inside, outside, translate):
        self.name, self.inside, self.outside = name, inside, outside
        self._past_losses = []
        Nat.everyone.append(self)
        self._load(f"""
table ip nat {{
  chain post {{ type nat hook postrouting priority srcnat; oifname "{outside}" {translate}; }}
}}
""")

    def _load(self, text):
        netns.run(self.name, "nft", "-f", "-", stdin=text)

    def _behave(self, text):
        """Replaces the behaviour. @dropped counts what it took, by source and destination port."""
        self._past_losses = self.losses()
        text = text.replace("$in", f'"{self.inside}"').replace("$out", f'"{self.outside}"')
        self._load(f"""
table ip behaviour
delete table ip behaviour
table ip behaviour {{
  set dropped {{
    type inet_service . inet_service; flags dynamic,timeout; counter; size 65535; timeout {REMEMBERED}s;
  }}
{text}
}}
""")

    # What went lost is noted by port pair. What an element was added by sets the time that it has left, and no later
    # packet does: so it tells when the steady flow lost its first reply.
    NOTE = "add @dropped { udp sport . udp dport }"

    def normal(self):
        """Replies are translated back, as long as Linux keeps a mapping (30 s, 120 s for a stream)."""
        self.stop_forgetting()
        self._behave("")

    def one_way_after(self, seconds):
        """a3: an absolute lifetime. Replies pass in the first `seconds` of a flow, however much is sent."""
        tuple_type = "type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic,timeout; size 65535"
        out, back = ("ip saddr . udp sport . ip daddr . udp dport", "ip daddr . udp dport . ip saddr . udp sport")
        self._behave(f"""
  set ever {{ {tuple_type}; timeout 1h; }}
  set fresh {{ {tuple_type}; timeout {round(seconds * 1000)}ms; }}
  chain onward {{
    type filter hook forward priority filter;
    iifname $in meta l4proto udp {out} != @ever add @fresh {{ {out} }} add @ever {{ {out} }}
    iifname $out meta l4proto udp {back} != @fresh {self.NOTE} drop
  }}""")

    def no_return(self):
        """b1: what comes in over UDP is dropped before it is tracked; packets still leave and are tracked."""
        self._behave(f"""
  chain early {{
    type filter hook prerouting priority raw;
    iifname $out meta l4proto udp {self.NOTE} drop
  }}""")

    def stateless(self, address=topology.POOL):
        """b2: UDP is rewritten packet by packet and never tracked, so no reply finds its way. TCP is as ever."""
        self._behave(f"""
  chain early {{
    type filter hook prerouting priority raw;
    iifname $out meta l4proto udp {self.NOTE}
    meta l4proto udp notrack
  }}
  chain rewrite {{
    type filter hook postrouting priority srcnat; oifname $out ip protocol udp ip saddr set {address};
  }}""")

    def short_timers(self, unreplied, replied):
        """a2: mappings are forgotten after so many idle seconds."""
        self._behave(self._timers(unreplied, replied))

    @staticmethod
    def _timers(unreplied, replied):
        """In raw the timeout would have no effect."""
        return f"""
  ct timeout brief {{ protocol udp; l3proto ip; policy = {{ unreplied : {unreplied}, replied : {replied} }}; }}
  chain timed {{ type filter hook prerouting priority mangle; iifname $in ip protocol udp ct timeout set "brief"; }}"""

    def udp_blocked(self, reject=False):
        """h: outgoing UDP is filtered, DNS excepted, silently or with an ICMP error; TCP is open."""
        how = "reject with icmp type admin-prohibited" if reject else "drop"
        self._behave(f"""
  chain onward {{
    type filter hook forward priority filter;
    iifname $in meta l4proto udp udp dport != 53 {self.NOTE} {how}
  }}""")

    def new_flows_limited(self, most):
        """e: a table that is shared by all subscribers accepts no more than `most` new UDP flows; old ones go on."""
        self._behave(f"""
  set taken {{ type inet_proto; flags dynamic; size 16; }}
  chain onward {{
    type filter hook forward priority filter;
    iifname $in ct state new meta l4proto udp add @taken {{ meta l4proto ct count over {most} }} drop
  }}""")

    def poison(self, ports):
        """Replies to the flows that leave from these inner ports are dropped; every other port works."""
        self._behave(f"""
  chain onward {{
    type filter hook forward priority filter;
    iifname $out meta l4proto udp udp dport {{ {', '.join(map(str, ports))} }} {self.NOTE} drop
  }}""")

    def loss(self, forward=0, back=0, udp_only=False):
        """Random loss in percent per direction, of every protocol or of UDP alone; dropped() knows what UDP lost."""
        rules = []
        for side, percent in (("$in", forward), ("$out", back)):
            chance = "" if percent >= 100 else f"numgen random mod 1000 < {round(percent * 10)}"
            if percent:
                rules.append(f"iifname {side} meta l4proto udp {chance} {self.NOTE} drop")
            if percent and not udp_only:
                rules.append(f"iifname {side} meta l4proto != udp {chance} drop")
        newline = "\n    "
        self._behave(f"""
  chain onward {{
    type filter hook forward priority filter;
    {newline.join(rules)}
  }}""")

    def no_nat(self):
        """The carrier translates nothing: the gateway's own address is seen everywhere. Not undone by normal()."""
        netns.ip("inet", "route replace 123.45.0.0/21 via 192.0.2.1")
        self._load("delete table ip nat")
        self.normal()

    def outage(self):
        """Nothing passes in either direction; the carrier's own router still answers."""
        self._behave(f"""
  chain onward {{
    type filter hook forward priority filter;
    iifname $in meta l4proto udp {self.NOTE}
    drop
  }}""")

    def note_large(self):
        """From here on large_ports() knows the inner ports towards or from which a large UDP packet went."""
        self._load(f"""
table ip sizes {{
  set large {{ type inet_service; flags dynamic; size 65535; }}
  chain before {{
    type filter hook forward priority filter - 10;
    iifname "{self.inside}" udp length > 500 update @large {{ udp sport }}
    iifname "{self.outside}" udp length > 500 update @large {{ udp dport }}
  }}
}}
""")

    def large_ports(self):
        listing = json.loads(netns.run(self.name, "nft", "-j", "list", "set", "ip", "sizes", "large"))["nftables"]
        return {port for item in listing for port in item.get("set", {}).get("elem", ())}

    def forget_udp(self):
        """Every UDP mapping is gone, as after a failover."""
        netns.run(self.name, "conntrack", "-D", "-p", "udp", check=False)  # exit 1: there was none

    def flows(self, port):
        """Inner source port -> packets answered, of the UDP mappings towards `port`. The steady flow has the most."""
        listing = netns.run(self.name, "conntrack", "-L", "-p", "udp", "--orig-port-dst", str(port), check=False)
        return {int(m[1]): int(m[2]) for m in re.finditer(rf"sport=(\d+) dport={port} packets.* packets=(\d+)", listing)}

    def steady_port(self, port):
        """Inner source port of the flow towards `port` that has been answered the most packets."""
        flows = self.flows(port)
        if not flows:
            raise netns.LabError(f"{self.name} tracks no flow to port {port}")
        return max(flows, key=flows.get)

    def dropped(self):
        """(source port, destination port) -> packets that the behaviour took."""
        listing = netns.run(self.name, "nft", "-j", "list", "set", "ip", "behaviour", "dropped", check=False)
        if not listing:
            return {}
        found = {}
        for item in json.loads(listing)["nftables"]:
            for element in item.get("set", {}).get("elem", ()):
                value, counter = element["elem"]["val"], element["elem"]["counter"]
                found[tuple(value["concat"])] = counter["packets"]
        return found

    def losses(self):
        """[((source port, destination port), monotonic time)]: when each behaviour so far took the first packet of a pair."""
        now = world.now()  # before it is asked: rather too early than too late
        listing = netns.run(self.name, "nft", "list", "set", "ip", "behaviour", "dropped", check=False)
        return self._past_losses + [
            ((int(source), int(destination)),
             now - REMEMBERED + sum(int(n) * _SECONDS[unit] for n, unit in _PART.findall(left)))
            for source, destination, left in _LOSS.findall(listing)]


def carrier():
    """The carrier's NAT: keeps ports where it can, filters by address and port."""
    return Nat("cgn", "sub", "pub", f"snat to {topology.POOL}")


def home_router():
    """Of topology.add_home_router()."""
    return Nat("cpe", "lan", "wan", "masquerade")


def router_5g():
    return Nat("fiveg", "home", "wan", "masquerade")
