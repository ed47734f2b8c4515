"""Destinations of `routes:` by every rule and route that can decide about them, IPv4 and IPv6, names and tunnels."""
import os

from . import netns, openvpn, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

TABLE = f"route add default via {topology.ROUTER_5G} dev eth1 table 77"


def _match(destination, uplink, expected, why, timeout=5):
    world.wait_until(lambda: world.scrape("gw").value("uplink_route_match", destination=destination, uplink=uplink) == expected,
                     timeout, why)


def _way(destination):
    """Labels of the way that it takes, or None."""
    found = world.scrape("gw").all("uplink_route_info", destination=destination)
    return found[0][0] if found else None


def _told(home, words):
    world.wait_until(lambda: words in home.agent.output(), 5, f"{words!r} in the log")


def _bare(*routes, **config):
    """The home without a reflector: nothing is probed, so that only routes speak."""
    return Home(reflector=False, reflectors=[], routes=[dict(zip(("destination", "uplink"), r)) | more for *r, more in routes], **config)


@scenario(60)
def route_missing_and_fail_over():
    """no route at all; two host routes of which the better one goes with its link and comes back; a prefix"""
    home = _bare((topology.CLOUD, FIVE_G, {}), ("10.50.0.0/16", FIVE_G, {}))
    home.start_agent()
    _match(topology.CLOUD, FIVE_G, 0, "the mismatch by the default route")
    netns.ip("gw", "route del default")
    _told(home, f"{topology.CLOUD}: no route leads there; it must leave through {FIVE_G}")
    world.wait_until(lambda: _way(topology.CLOUD) is None, 5, "no way shown without a route")
    expect(_way("10.50.0.0/16") is None, "a way of the prefix")

    netns.ip("gw", f"route add {topology.CLOUD} via {topology.ROUTER_5G} dev eth1 metric 10",
             f"route add {topology.CLOUD} via {topology.CARRIER} dev eth2 metric 20")
    _match(topology.CLOUD, FIVE_G, 1, "the route of the lower metric")
    netns.ip("gw", "link set eth1 down")
    _match(topology.CLOUD, FIVE_G, 0, "the route of the higher metric while the link is down")
    expect(_way(topology.CLOUD)["uplink"] == MANSION, "the way of the fail-over")
    netns.ip("gw", "link set eth1 up")
    netns.ip("gw", f"route add {topology.CLOUD} via {topology.ROUTER_5G} dev eth1 metric 10")
    _match(topology.CLOUD, FIVE_G, 1, "the better route back")

    netns.ip("gw", f"route add 10.50.0.0/16 via {topology.ROUTER_5G} dev eth1")
    _match("10.50.0.0/16", FIVE_G, 1, "the prefix's own route")
    netns.ip("gw", "route add blackhole 10.50.0.0/24")
    _match("10.50.0.0/16", FIVE_G, 0, "a more specific route over the address that stands for the prefix")
    _told(home, "10.50.0.0/16: a `blackhole` route refuses it, by table main")
    changes = world.scrape("gw").value("uplink_route_changes_total", destination=topology.CLOUD)
    expect(changes == 4, f"{changes} changes, not 4")
    home.done()


@scenario(60)
def rules_by_mark_source_and_interface():
    """rules with fwmark and from decide for packets that have them and for no others; a rule with oif for none"""
    marked, from_5g, plain = topology.CLOUD, topology.CLOUD2, topology.WITNESS
    home = _bare((marked, FIVE_G, {"fwmark": 0x100}), (from_5g, FIVE_G, {"source": topology.GATEWAY_5G}), (plain, FIVE_G, {}))
    home.start_agent()
    for destination in (marked, from_5g, plain):
        _match(destination, FIVE_G, 0, f"the default route for {destination}")
    netns.ip("gw", TABLE, "rule add fwmark 0x100/0xff00 lookup 77 priority 500")
    _match(marked, FIVE_G, 1, "the mark's rule")
    _told(home, f"{marked} leaves through {FIVE_G} (eth1 via {topology.ROUTER_5G}), by table 77 (rule 500: fwmark 0x100/0xff00 lookup 77)")
    expect(_way(from_5g)["table"] == "main" and _way(plain)["table"] == "main", "a packet without the mark took its rule")

    netns.ip("gw", f"rule add from {topology.GATEWAY_5G} lookup 77 priority 600")
    _match(from_5g, FIVE_G, 1, "the source's rule")
    _told(home, f"(rule 600: from {topology.GATEWAY_5G} lookup 77)")
    expect(_way(plain)["table"] == "main", "a packet without the source took its rule")

    netns.ip("gw", "rule add oif eth1 lookup 77 priority 400", "rule add iif eth1 lookup 77 priority 410")
    netns.ip("gw", "rule del priority 500", "rule del priority 600")
    _match(marked, FIVE_G, 0, "the mark's rule gone")
    _match(from_5g, FIVE_G, 0, "the source's rule gone")
    expect(_way(plain)["uplink"] == MANSION, "an unbound packet took the rule of an interface")

    netns.ip("gw", f"rule add to {plain} prohibit priority 450")
    _told(home, f"{plain}: rule 450: to {plain} prohibit refuses it")
    netns.ip("gw", f"rule add to {marked} goto 32766 priority 460", f"rule add to {marked} lookup 77 priority 470")
    expect(_way(marked)["table"] == "main", "a rule that was jumped over decided")
    netns.ip("gw", "rule del priority 460")
    _match(marked, FIVE_G, 1, "the rule that is no longer jumped over")
    home.done()


V6_5G, V6_CARRIER, V6_FAR = "2001:db8:1::1", "2001:db8:2::1", "2001:db8:f::1"


def _with_ipv6():
    netns.sysctl("gw", net__ipv6__conf__all__disable_ipv6=0)
    for name, interface, address in (("gw", "eth1", "2001:db8:1::2"), ("fiveg", "home", V6_5G),
                                     ("gw", "eth2", "2001:db8:2::2"), ("cgn", "sub", V6_CARRIER)):
        netns.ip(name, f"addr add {address}/64 dev {interface} nodad")


@scenario(60)
def ipv6_routes_and_rules():
    """the same of IPv6: missing, other uplink, host route, three refusals, two next hops, a rule, fail-over by metric"""
    six, seven = "five_g_v6", "mansion_v6"
    home = _bare((V6_FAR, six, {}), uplinks=[{"name": six, "interface": "eth1", "family": "ipv6", "gateway": V6_5G},
                                             {"name": seven, "interface": "eth2", "family": "ipv6"}])
    _with_ipv6()
    home.start_agent()
    _told(home, f"{V6_FAR}: no route leads there; it must leave through {six}; to put it right: ip -6 route replace "
                f"{V6_FAR} via {V6_5G} dev eth1")
    netns.ip("gw", f"route add default via {V6_CARRIER} dev eth2")
    _told(home, f"leaves through {seven} (eth2 via {V6_CARRIER})")
    netns.ip("gw", f"route add {V6_FAR} via {V6_5G} dev eth1 metric 10")
    _match(V6_FAR, six, 1, "the host route")
    netns.ip("gw", f"route add {V6_FAR} via {V6_CARRIER} dev eth2 metric 20")
    expect(_way(V6_FAR)["uplink"] == six, "the higher metric won")
    netns.ip("gw", f"route del {V6_FAR} via {V6_5G} dev eth1 metric 10")
    _match(V6_FAR, six, 0, "the fail-over")
    netns.ip("gw", f"route del {V6_FAR} via {V6_CARRIER} dev eth2 metric 20")
    for kind in ("unreachable", "blackhole", "prohibit"):
        netns.ip("gw", f"route add {kind} {V6_FAR}")
        _told(home, f"`{kind}`")
        world.wait_until(lambda: _way(V6_FAR) is None, 5, f"no way by a {kind} route")
        netns.ip("gw", f"route del {kind} {V6_FAR}")
    netns.ip("gw", f"route add {V6_FAR} nexthop via {V6_5G} dev eth1 nexthop via {V6_CARRIER} dev eth2")
    _told(home, f"{six} (eth1 via {V6_5G}) and {seven}")
    netns.ip("gw", f"route del {V6_FAR}")
    netns.ip("gw", f"route add default via {V6_5G} dev eth1 table 78")
    netns.run(None, "ip", "-n", "gw", "-6", "rule", "add", "to", V6_FAR, "lookup", "78", "priority", "500")
    _match(V6_FAR, six, 1, "the rule's table")
    _told(home, f"by table 78 (rule 500: to {V6_FAR} lookup 78)")
    home.done()


def _hosts(*lines):
    """What names mean from now on, in this world only."""
    with open("/run/lab/hosts", "w") as file:
        file.write("\n".join(("127.0.0.1 localhost", *lines)) + "\n")
    if not os.path.ismount("/etc/hosts"):
        netns.run(None, "mount", "--bind", "/run/lab/hosts", "/etc/hosts")


@scenario(200)
def a_name_is_resolved_again():
    """a destination by name: followed to its address, first when it has one, then to another"""
    _hosts()
    name = "vpn.example.net"
    home = _bare((name, FIVE_G, {}))
    netns.ip("gw", f"route add {topology.CLOUD2} via {topology.ROUTER_5G} dev eth1")
    home.start_agent()
    _told(home, "NAME_NOT_RESOLVED")
    expect(world.scrape("gw").value("uplink_route_match", destination=name) is None, "a match of what has no address")
    _hosts(f"{topology.CLOUD} {name}")
    _match(name, FIVE_G, 0, "the name's first address, by the default route", 30)
    _hosts(f"{topology.CLOUD2} {name}")
    _match(name, FIVE_G, 1, "the name's next address, by the host route", 120)
    home.done()


@scenario(90)
def openvpn_remote_is_followed():
    """where a tunnel's server is sent is known from the tunnel itself, and how that changes by the seed's host route"""
    home = Home(reflector=False, reflectors=[], openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG}])
    openvpn.make_certificates()
    openvpn.start_server()
    client = openvpn.start_client()
    client.must_live()
    world.wait_until(openvpn.reaches_home, 30, "the tunnel")
    home.start_agent()
    world.wait_until(lambda: _way("openvpn:cloud"), 20, "the way of the tunnel's server")
    way = _way("openvpn:cloud")
    expect(way["uplink"] == MANSION and way["interface"] == "eth2", f"{way}")
    netns.ip("gw", f"route add {topology.CLOUD}/32 via {topology.ROUTER_5G} dev eth1")
    world.wait_until(lambda: _way("openvpn:cloud")["uplink"] == FIVE_G, 10, "the seed's cure")
    metrics = world.scrape("gw")
    expect(metrics.value("uplink_route_changes_total", destination="openvpn:cloud") == 1, "the change counted")
    expect(metrics.value("uplink_route_match", destination="openvpn:cloud") is None, "a match where nothing is wanted")
    home.done()
