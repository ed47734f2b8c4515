"""What the gateway's own connection tracker tells: flows that nothing answers, and what happens without the right to ask."""
import json

from . import agent, netns, topology, udp, world
from .agent import FIVE_G, MANSION, Home
from .registry import Skip, expect, scenario

# A gateway tracks because it filters or translates; the LAN leaves under the address of eth2.
TRACKED = """
table ip track {
  chain sent { type filter hook output priority filter; ct state new counter; }
  chain passed { type filter hook forward priority filter; ct state new counter; }
  chain leave { type nat hook postrouting priority srcnat; oifname "eth2" ip saddr 192.168.10.0/24 masquerade; }
}
"""


def _flows(uplink, kind=""):
    return world.scrape("gw").value(f"uplink_conntrack_udp_{kind}flows_total", uplink=uplink)


def _begin(count, **where):
    """So many flows of one packet each."""
    flows = [udp.Flow(**where) for _ in range(count)]
    for flow in flows:
        flow.send("p 0")
    return flows


@scenario(90)
def one_way_carrier_shows_in_the_tracker():
    """flows without an answer are counted on the one-way uplink alone, those of the LAN behind source NAT included"""
    home = Home(reflector=False, reflectors=[])
    netns.run("gw", "nft", "-f", "-", stdin=TRACKED)
    netns.sysctl("gw", net__netfilter__nf_conntrack_udp_timeout=2)
    netns.ip("gw", f"route add {topology.CLOUD2} via {topology.ROUTER_5G} dev eth1")
    echoes = [udp.Echo(), udp.Echo("cloud2", topology.CLOUD2)]
    early = _begin(2, interface=None)  # they stand before the agent does
    home.start_agent()
    world.wait_until(lambda: world.scrape("gw").value("uplink_exporter_collector_up", collector="conntrack") == 1, 15,
                     "the tracker being watched")
    world.wait_until(lambda: _flows(MANSION) == 2, 10, "the flows that stood at the start")
    metrics = world.scrape("gw")
    expect(metrics.value("uplink_conntrack_udp_timeout_seconds", kind="unreplied") == 2, "the time-out of UDP")
    expect(metrics.value("uplink_conntrack_entries_limit") > 0, "the table's limit")

    keep = _begin(10, interface=None) + _begin(7, interface=None, to=topology.CLOUD2) + _begin(5, interface=None, name="lan")
    world.wait_until(lambda: _flows(MANSION) == 17 and _flows(FIVE_G) == 7, 10, "flows counted by uplink")
    home.carrier.no_return()
    keep += _begin(10, interface=None) + _begin(7, interface=None, to=topology.CLOUD2) + _begin(5, interface=None, name="lan")
    world.wait_until(lambda: _flows(MANSION, "unreplied_") == 15, 15, "the 15 flows whose answers the carrier lost")
    expect(_flows(MANSION) == 32 and _flows(FIVE_G) == 14, f"flows: {_flows(MANSION)}, {_flows(FIVE_G)}")
    expect(_flows(FIVE_G, "unreplied_") == 0, "the other uplink is blamed")
    expect(_flows(MANSION, "unfollowed_") == 0 and world.scrape("gw").value("uplink_conntrack_events_lost_total") == 0,
           "something was lost")
    for echo in echoes:
        echo.stop()
    del early, keep
    home.done()


@scenario(60)
def tracker_without_the_right_to_ask():
    """without CAP_NET_ADMIN one collector is off, says so once and how to turn it on, and is marked as no fault"""
    if netns.missing_tools("setpriv"):
        raise Skip("setpriv (Debian package util-linux) is not installed")
    home = Home(reflector=False, reflectors=[], uplinks=[agent.UPLINKS[0]])
    netns.run("gw", "nft", "-f", "-", stdin=TRACKED)
    path = agent.write("/run/lab/agent.yml", json.dumps(home.config))
    process = world.Process("gw", "agent", ["setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin",
                                            agent.program("uplink_exporter"), "--config.file", path])
    world.wait_until(lambda: agent.answers("gw", 10177) or process.must_live(), 15, "the agent's page")
    world.wait_until(lambda: "CONNTRACK_OFF" in process.output(), 10, "the line that says so")
    world.wait_until(lambda: world.scrape("gw").value("uplink_exporter_collector_optional", collector="conntrack") == 1, 5,
                     "the mark that it is no fault")
    metrics = world.scrape("gw")
    expect(metrics.value("uplink_exporter_collector_up", collector="conntrack") == 0, "the collector is said to be up")
    expect(metrics.value("uplink_exporter_collector_up", collector="netlink") == 1, "another collector went with it")
    expect(metrics.value("uplink_exporter_collector_optional", collector="netlink") == 0, "netlink is no option")
    expect(metrics.value("uplink_conntrack_entries") is not None, "the table's figures need no privilege")
    expect(not metrics.all("uplink_conntrack_udp_flows_total"), "flows are counted that nobody sees")
    lines = [line for line in process.output().splitlines() if "CONNTRACK_OFF" in line]
    expect(len(lines) == 1 and "CAP_NET_ADMIN" in lines[0], f"{lines}")
    process.must_live()
    process.stop()
