"""Where the kernel sends a destination of `routes:`, while real `ip` commands change it."""
from . import netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

SEED = f"{topology.CLOUD}/32 via {topology.ROUTER_5G} dev eth1"


def _info():
    return [labels for labels, _ in world.scrape("gw").all("uplink_route_info")]


@scenario(60)
def host_route_of_the_seed():
    """the tunnel server's host route: found missing, in force, refused in three ways, split over two uplinks, and gone"""
    home = Home(routes=[{"destination": topology.CLOUD, "uplink": FIVE_G}])
    home.start_agent()

    def match(expected, why):
        world.wait_until(
            lambda: world.scrape("gw").value("uplink_route_match", destination=topology.CLOUD, uplink=FIVE_G) == expected,
            5, why)

    def told(words):
        world.wait_until(lambda: words in home.agent.output(), 5, f"{words!r} in the log")

    match(0, "the mismatch while there is only the default route")
    told(f"leaves through {MANSION} (eth2 via {topology.CARRIER}), by table main")
    told(f"ip route replace {topology.CLOUD} via {topology.ROUTER_5G} dev eth1")

    netns.ip("gw", f"route add {SEED}")
    match(1, "the seed's host route")
    (way,) = _info()
    expect(way["uplink"] == FIVE_G and way["interface"] == "eth1" and way["table"] == "main"
           and way["gateway"] == topology.ROUTER_5G, f"uplink_route_info: {way}")

    for kind, words in (("unreachable", "`unreachable`"), ("blackhole", "`blackhole`"), ("prohibit", "`prohibit`")):
        netns.ip("gw", f"route replace {kind} {topology.CLOUD}/32")
        told(words)
        match(0, f"a {kind} route")
        expect(not _info(), f"a way is shown that a {kind} route denies")

    netns.ip("gw", f"route replace {topology.CLOUD}/32 nexthop via {topology.ROUTER_5G} dev eth1 "
                   f"nexthop via {topology.CARRIER} dev eth2")
    told(f"{FIVE_G} (eth1 via {topology.ROUTER_5G}) and {MANSION}")
    match(0, "flows spread over both uplinks")

    netns.ip("gw", f"route replace {SEED}")
    match(1, "the host route again")
    # A rule sends it elsewhere although the main table has not changed.
    netns.ip("gw", f"route add default via {topology.CARRIER} dev eth2 table 77",
             f"rule add to {topology.CLOUD} lookup 77 priority 500")
    match(0, "the rule's table")
    told(f"by table 77 (rule 500: to {topology.CLOUD} lookup 77)")
    netns.ip("gw", "rule del priority 500")
    match(1, "the rule gone")
    netns.ip("gw", "link set eth1 down")
    match(0, "the interface down: IPv4 routes go without an event of their own")
    changes = world.scrape("gw").value("uplink_route_changes_total", destination=topology.CLOUD)
    expect(changes == 7, f"{changes} changes counted, not 7: from one refusal to the next nothing is routed either way")
    home.done()


@scenario(60)
def default_route_and_next_hop():
    """a configured gateway is no default route; a next hop that no longer answers on the link is told, and when it is back"""
    home = Home()
    home.start_agent()

    def shows(metric, uplink, expected, why, timeout=20):
        world.wait_until(lambda: world.scrape("gw").value(metric, uplink=uplink) == expected, timeout, why)

    for uplink in (MANSION, FIVE_G):
        shows("uplink_gateway_reachable", uplink, 1, f"the next hop of {uplink} answering")
    expect(world.scrape("gw").value("uplink_default_route", uplink=MANSION) == 1, "the default route of the main table")
    expect(world.scrape("gw").value("uplink_default_route", uplink=FIVE_G) == 0, "a configured gateway taken for a route")
    netns.ip("gw", f"route add default via {topology.ROUTER_5G} dev eth1 table 77")
    shows("uplink_default_route", FIVE_G, 1, "the default route of another table")
    netns.ip("gw", "route del default table 77")
    shows("uplink_default_route", FIVE_G, 0, "that route gone")

    netns.ip("fiveg", "link set home arp off")
    netns.ip("gw", "neigh flush dev eth1")
    shows("uplink_gateway_reachable", FIVE_G, 0, "the silent next hop")
    expect(world.scrape("gw").value("uplink_gateway_reachable", uplink=MANSION) == 1, "the other next hop is blamed")
    netns.ip("fiveg", "link set home arp on")
    shows("uplink_gateway_reachable", FIVE_G, 1, "the next hop back")
    home.done()
