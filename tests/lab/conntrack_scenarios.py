"""What the gateway's own connection tracker tells: flows that nothing answers, and what happens without the right to ask."""
import itertools
import json
import signal

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


def _said(home, words, timeout=30):
    """Waits until the page says it."""
    world.wait_until(lambda: words in world.fetch("gw", 10177, "/")[1], timeout, f"{words!r} on the page")


# Pages and scrapes over the loopback are not to need room in a table that is full.
FREE = """
table ip free {
  chain sent { type filter hook output priority raw; oifname "lo" notrack; }
  chain got { type filter hook prerouting priority raw; iifname "lo" notrack; }
}
"""


def _flows_that_stay():
    """A function that adds so many flows to the gateway's table, as far as there is room; assured ones are not thrown out for others."""
    numbers = itertools.count()

    def add(count):
        with open("/run/lab/flows", "w") as file:
            for number in itertools.islice(numbers, count):
                host, port = divmod(number, 60000)  # of one destination so many ports are enough
                file.write(f"-I -p udp -s 192.168.10.2 -d 10.0.0.{host + 1} --sport {port + 1000} --dport 9 -t 600 -u ASSURED,SEEN_REPLY\n")
        netns.run("gw", "conntrack", "-R", "/run/lab/flows", check=False)  # it ends at the first that finds no room
    return add


@scenario(150)
def full_tracker_is_the_gateways_fault():
    """this gateway's own table is full of flows that stay: local_fault with the sysctl, no carrier blamed; over when there is room"""
    home = Home(probe={"holds": [], "fresh_interval": "10s"})
    netns.run("gw", "nft", "-f", "-", stdin=TRACKED + FREE)
    verdicts = home.healthy()
    since = world.now()
    limit = int(world.scrape("gw").value("uplink_conntrack_entries_limit"))
    expect(world.scrape("gw").value("uplink_preflight_ok", uplink=MANSION, check="conntrack_room") == 1, "the check at first")
    more = _flows_that_stay()
    more(limit + 1000)
    keeping = world.Periodic(0.5, lambda: more(100))  # what ends makes room, of which new flows would make use
    print(f"local_fault {verdicts.wait(MANSION, 'local_fault', 60):.1f} s after the table is full")  # half a minute beside others
    _said(home, "connection table is full")
    _said(home, f"nf_conntrack_max={limit * 2}")
    expect(world.scrape("gw").value("uplink_preflight_ok", uplink=MANSION, check="conntrack_room") == 0, "the check")
    keeping.stop()
    netns.run("gw", "conntrack", "-F")
    verdicts.wait(MANSION, "healthy", 100)
    for uplink in (MANSION, FIVE_G):
        verdicts.only(uplink, "healthy", "unknown", "local_fault", since=since)
    home.done()


@scenario(240)
def own_short_timeout_blames_no_carrier():
    """a stateful filter and a time-out of 6 s on the gateway itself: the ladder's bound is called its own, never the carrier's"""
    home = Home(probe={"holds": ["1s", "2s", "4s", "8s", "12s"]})
    netns.run("gw", "nft", "-f", "-", stdin=f"""
table ip own {{
  chain input {{
    type filter hook input priority filter;
    iifname "lo" accept
    ct state established,related accept
    udp sport {agent.PORT} drop
  }}
}}
""")
    netns.sysctl("gw", net__netfilter__nf_conntrack_udp_timeout_stream=6)
    verdicts = home.healthy()
    verdicts.wait(MANSION, "local_fault", 150, since=home.started)
    _said(home, "this gateway itself forgets a UDP flow after 6 s of silence")
    _said(home, "nf_conntrack_udp_timeout_stream=120")
    metrics = world.scrape("gw")
    expect(metrics.value("uplink_udp_mapping_lifetime_is_own", uplink=MANSION, pattern="stream") == 1, "whose bound it is")
    expect(metrics.value("uplink_preflight_ok", uplink=MANSION, check="conntrack_timeout") == 0, "the check")
    netns.sysctl("gw", net__netfilter__nf_conntrack_udp_timeout_stream=120)
    verdicts.wait(MANSION, "healthy", 60)
    for uplink in (MANSION, FIVE_G):
        verdicts.only(uplink, "unknown", "healthy", "local_fault")
    home.done()


@scenario(120)
def bystanders_support_the_verdict():
    """one_way says what became of other programs' flows through the same uplink, and nothing while they are answered"""
    home = Home(probe={"holds": []})
    netns.run("gw", "nft", "-f", "-", stdin=TRACKED)
    netns.sysctl("gw", net__netfilter__nf_conntrack_udp_timeout=2)
    echo = udp.Echo("cloud2", topology.CLOUD2)
    verdicts = home.healthy()
    keep = _begin(6, interface=None, to=topology.CLOUD2)
    verdicts.wait(MANSION, "one_way", 30, home.fault(home.carrier.no_return, "one_way"))
    keep += _begin(9, interface=None, to=topology.CLOUD2)
    _said(home, "of 15 other UDP flows through mansion in the last two minutes 9 got no answer either")
    expect(_flows(FIVE_G, "unreplied_") == 0, "the other uplink's flows")
    echo.stop()
    del keep
    home.done()


@scenario(120)
def lost_events_are_counted():
    """the agent stands still while more flows begin than the kernel keeps events for: each is counted, or counted as lost"""
    home = Home(reflector=False, reflectors=[])
    netns.run("gw", "nft", "-f", "-", stdin=TRACKED)
    netns.sysctl("gw", net__netfilter__nf_conntrack_udp_timeout=5)
    topology.connect(("gw", "void", "172.30.0.2/24"), ("inet", "fromvoid", "172.30.0.1/24"))
    netns.run("inet", "nft", "add table ip void; add chain ip void in { type filter hook prerouting priority raw ; iifname fromvoid drop ; }")
    netns.ip("gw", "route add 10.0.0.0/8 via 172.30.0.1 dev void")
    home.start_agent()
    world.wait_until(lambda: world.scrape("gw").value("uplink_exporter_collector_up", collector="conntrack") == 1, 15, "the tracker")

    def begin(first, count):
        sender = netns.socket_in("gw")
        sender.bind((topology.GATEWAY_CARRIER, 0))
        for i in range(first, first + count):
            sender.sendto(b"x", (f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 1194))
        sender.close()
        return count

    sent = begin(0, 100)
    world.wait_until(lambda: _flows(MANSION) == sent, 10, "the flows before")
    home.agent.signal(signal.SIGSTOP)
    sent += begin(1000, 200_000)
    home.agent.signal(signal.SIGCONT)

    def lost():
        return world.scrape("gw").value("uplink_conntrack_events_lost_total")

    world.wait_until(lambda: _flows(MANSION) + lost() >= sent, 30, "everything counted one way or the other")
    expect(lost() > 0, "200,000 events found room: nothing was shown")
    expect(_flows(MANSION, "unfollowed_") > 0, "flows whose answers may have been lost are followed as if nothing had happened")
    expect("CONNTRACK_OVERRUN" in home.agent.output(), "the line that says so")
    seen = _flows(MANSION)
    begin(300_000, 50)
    world.wait_until(lambda: _flows(MANSION) == seen + 50, 10, "it goes on")
    world.wait_until(lambda: _flows(MANSION, "unreplied_") + _flows(MANSION, "unfollowed_") == _flows(MANSION), 30, "what became of each")
    print(f"{sent} flows begun, {seen:.0f} counted, {lost():.0f} events counted as lost")
    home.done()
