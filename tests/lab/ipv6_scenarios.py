"""An IPv6 uplink behind a stateful firewall: nobody translates, and the return path dies in the same ways."""
import time

from . import agent, netns, topology, world
from .agent import Home
from .nat_info_scenarios import APD, nat_info
from .registry import expect, scenario

SIX = "six"
GATEWAY, CLOUD, WITNESS, SECOND = "2001:db8:1::2", "2001:db8:3::44", "2001:db8:4::10", "2001:db8:4::11"
# (namespace, interface, address) at both ends of the cables that topology.build() has laid.
ADDRESSES = (("gw", "eth2", f"{GATEWAY}/64"), ("cgn", "sub", "2001:db8:1::1/64"), ("cgn", "pub", "2001:db8:2::1/64"),
             ("inet", "tocgn", "2001:db8:2::254/64"), ("inet", "tocloud", "2001:db8:3::1/64"), ("cloud", "eth0", f"{CLOUD}/64"),
             ("inet", "towitness", "2001:db8:4::1/64"), ("witness", "eth0", f"{WITNESS}/64"), ("witness", "eth0", f"{SECOND}/64"))
ROUTES = {"gw": "default via 2001:db8:1::1", "cgn": "default via 2001:db8:2::254", "inet": "2001:db8:1::/64 via 2001:db8:2::1",
          "cloud": "default via 2001:db8:3::1", "witness": "default via 2001:db8:4::1"}
STATEFUL = 'iifname "pub" ct state established,related accept; iifname "pub" meta l4proto { tcp, udp } drop'


def _firewall(rules, early=""):
    """The carrier's packet filter for IPv6, replaced in one transaction."""
    netns.run("cgn", "nft", "-f", "-", stdin=f"""
table ip6 firewall
delete table ip6 firewall
table ip6 firewall {{
  chain early {{ type filter hook prerouting priority raw; {early} }}
  chain onward {{ type filter hook forward priority filter; {rules}; }}
}}
""")


def _home():
    """One uplink of family IPv6 on the carrier's cable, healthy; returns its verdicts' watch."""
    home = Home(reflector=False, uplinks=[{"name": SIX, "interface": "eth2", "family": "ipv6"}],
                reflectors=[agent.reflector_entry("cloud", f"[{CLOUD}]")], witnesses=[f"[{WITNESS}]:{agent.STUN_PORT}"])
    for name in ("cgn", "inet"):
        netns.sysctl(name, net__ipv6__conf__all__forwarding=1)
    for name, interface, address in ADDRESSES:
        netns.ip(name, f"addr add {address} dev {interface} nodad")
    for name, route in ROUTES.items():
        netns.ip(name, f"route add {route}")
    _firewall(STATEFUL)
    agent.start_reflector()
    agent.start_witness(WITNESS, SECOND)
    home.start_agent()
    home.verdicts.wait(SIX, "healthy", 60)
    return home


@scenario(150)
def ipv6_behind_a_stateful_firewall():
    """IPv6, healthy: no NAT, filtering by address and port; replies lost there: one_way, and healthy again"""
    home = _home()
    try:
        world.wait_until(lambda: nat_info(SIX) == ("none", APD, "none"), 60, "uplink_nat_info", every=0.5)
    except netns.LabError as error:
        raise AssertionError(f"{error}: {nat_info(SIX)}") from error
    expect(agent.page_says("Seen as", f"[{GATEWAY}]:"), "the page does not show our own address")
    since = home.fault(lambda: _firewall(STATEFUL, early='iifname "pub" meta l4proto udp drop;'), "one_way", SIX)
    home.verdicts.wait(SIX, "one_way", 30, since)
    time.sleep(5)
    _firewall(STATEFUL)
    home.verdicts.wait(SIX, "healthy", 120)
    home.verdicts.only(SIX, "healthy", "return_lost", "one_way", since=since)
    home.done()


@scenario(150)
def ipv6_blocked_with_an_icmp_error():
    """IPv6, UDP refused on the way out: udp_blocked, counted by type, the offender in the sentence"""
    home = _home()
    since = home.fault(lambda: _firewall('iifname "sub" meta l4proto udp reject with icmpv6 type admin-prohibited'),
                       "udp_blocked", SIX)
    home.verdicts.wait(SIX, "udp_blocked", 60, since)
    page = world.fetch("gw", 10177, "/")[1]
    expect("2001:db8:1::1 refuses them with ICMP admin-prohibited" in page, "the page does not name the offender")
    expect(home.counters("uplink_udp_icmp_errors_total", uplink=SIX, type="admin-prohibited") > 0, "no ICMP error was counted")
    home.verdicts.only(SIX, "healthy", "unknown", "udp_blocked", since=since)
    home.done()
