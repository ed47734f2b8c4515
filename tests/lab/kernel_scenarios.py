"""How the agent keeps up with the kernel: lost events, no polling, and what goes without which privilege."""
import json
import os
import signal

from . import agent, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import Skip, expect, scenario


@scenario(90)
def lost_events_are_answered_with_a_fresh_look():
    """the agent stands still while more happens than the kernel keeps for it: counted, and everything is as it is"""
    home = Home(reflector=False, reflectors=[], routes=[{"destination": topology.CLOUD, "uplink": FIVE_G}])
    home.start_agent()
    expect(world.scrape("gw").value("uplink_netlink_overruns_total") == 0, "an overrun at the start")
    home.agent.signal(signal.SIGSTOP)
    flood = [f"addr {word} 10.{i >> 8}.{i & 255}.1/32 dev lo" for i in range(6000) for word in ("add", "del")]
    netns.ip("gw", *flood)
    # What happened behind the flood was never told.
    netns.ip("gw", f"route add {topology.CLOUD} via {topology.ROUTER_5G} dev eth1", "link set eth2 down",
             f"route add default via {topology.ROUTER_5G} dev eth1 table 77", f"rule add to {topology.CLOUD} lookup 77 priority 500")
    home.agent.signal(signal.SIGCONT)
    world.wait_until(lambda: world.scrape("gw").value("uplink_netlink_overruns_total") >= 1, 15, "the overrun counted")
    world.wait_until(lambda: world.scrape("gw").value("uplink_route_match", destination=topology.CLOUD) == 1, 5, "the route")
    world.wait_until(lambda: world.scrape("gw").value("uplink_link_up", uplink=MANSION) == 0, 5, "the link")
    world.wait_until(lambda: world.scrape("gw").value("uplink_default_route", uplink=FIVE_G) == 1, 5, "the table")
    expect("rule 500" in home.agent.output(), "the rule was not read anew")
    home.done()


@scenario(60)
def a_scrape_asks_the_kernel_nothing():
    """hundreds of scrapes, and not one question over netlink"""
    if netns.missing_tools("strace"):
        raise Skip("strace (Debian package strace) is not installed")
    home = Home(reflector=False, reflectors=[], routes=[{"destination": topology.CLOUD, "uplink": FIVE_G}])
    home.start_agent()
    trace = world.Process("gw", "strace", ["strace", "-f", "-e", "trace=sendto,sendmsg,socket", "-p", str(home.agent.popen.pid)])
    world.wait_until(lambda: "attached" in trace.output(), 10, "strace")

    def questions():
        return [line for line in trace.output().splitlines() if "RTM_" in line or "AF_NETLINK" in line]

    def asked_for(scrapes):
        before = len(questions())
        for _ in range(scrapes):
            world.scrape("gw")
        return len(questions()) - before

    # An event of the kernel's own, as of a neighbour that grows stale, may fall into one round, not into each.
    rounds = [asked_for(100) for _ in range(12)]
    print(f"questions in each round of 100 scrapes: {rounds}")
    expect(0 in rounds, f"100 scrapes never went by without a question: {rounds}")
    # That the trace would have shown one: an event asks for a look.
    before = len(questions())
    netns.ip("gw", f"route add {topology.CLOUD} via {topology.ROUTER_5G} dev eth1")
    world.wait_until(lambda: len(questions()) > before, 10, "the question that an event asks for")
    trace.stop()
    home.done()


@scenario(120)
def unprivileged_as_nobody():
    """as nobody, without any capability: probes, routes and links work; each thing that does not is off by name, and says why"""
    if netns.missing_tools("setpriv"):
        raise Skip("setpriv (Debian package util-linux) is not installed")
    home = Home(routes=[{"destination": topology.CLOUD, "uplink": MANSION}], probe={"holds": []})
    netns.run("gw", "nft", "add", "table", "ip", "track")
    path = agent.write("/run/lab/agent.yml", json.dumps(home.config), 0o644)
    os.chown(agent.KEY_FILE, 65534, 65534)  # the unit's own user, as a package would have it
    process = world.Process("gw", "agent", [
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
        agent.program("uplink_exporter"), "--config.file", path])
    world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or process.must_live(), 15, "the agent's page")
    world.wait_until(lambda: world.scrape("gw").state("uplink_verdict", of="verdict", uplink=MANSION) == "healthy", 60,
                     "the uplink that needs no route of its own")
    metrics = world.scrape("gw")
    up = {labels["collector"]: value for labels, value in metrics.all("uplink_exporter_collector_up")}
    for collector in ("netlink", "routes", "reflector:cloud"):
        expect(up[collector] == 1, f"{collector} is off: {process.output()}")
    expect(metrics.value("uplink_route_match", destination=topology.CLOUD) == 1, "the kernel's answer to a look-up")
    told = process.output().splitlines()
    page = world.fetch("gw", 10177, "/")[1]
    for collector, line, words in (("conntrack", "CONNTRACK_OFF", "CAP_NET_ADMIN"), ("arrivals", "PRIVILEGE_MISSING", "CAP_NET_RAW"),
                                   ("probe_routes", "UPLINK_FAULT", "grant the program CAP_NET_ADMIN, or run: ip route replace")):
        expect(up[collector] == 0, f"{collector} is said to be up")
        lines = [text for text in told if f"id={line}" in text and words in text]
        expect(len(lines) == 1, f"{collector}: {lines or told}")
        expect(words in page, f"the page does not say {words!r}")
    expect(metrics.state("uplink_verdict", of="verdict", uplink=FIVE_G) in ("unknown", "down"), "an uplink without its route is judged")
    netns.ip("gw", f"route add {topology.CLOUD} via {topology.ROUTER_5G} dev eth1")
    world.wait_until(lambda: world.scrape("gw").value("uplink_route_match", destination=topology.CLOUD) == 0, 5, "events without a privilege")
    process.must_live()
    process.stop()
