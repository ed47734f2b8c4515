"""The healthy home, its routing table, its re-dialled link, right attribution of loss, and bad input."""
import json
import os
import socket
import subprocess
import time

from . import agent, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario


@scenario(150)
def healthy_home():
    """nothing is wrong: both uplinks stay healthy, and every page is there and well-formed"""
    home = Home()
    verdicts = home.healthy()
    since = world.now()
    time.sleep(45)
    for uplink in (MANSION, FIVE_G):
        verdicts.only(uplink, "healthy", since=since)
    metrics = world.scrape("gw")
    for flow in ("steady", "fresh"):
        labels = {"uplink": MANSION, "reflector": "cloud", "flow": flow}
        sent, replies = (metrics.value(f"uplink_udp_{what}_total", **labels) for what in ("probes_sent", "replies_received"))
        expect(sent and sent - replies <= 2, f"{flow}: {sent} sent, {replies} answered")
    expect(metrics.sum("uplink_udp_rtt_seconds_count", uplink=MANSION) > 30, "too few round-trip times")
    expect(metrics.value("uplink_info", uplink=FIVE_G, gateway=topology.ROUTER_5G, interface="eth1") == 1, "uplink_info")
    expect(metrics.value("uplink_default_route", uplink=MANSION) == 1, "the default route leaves through eth2")
    checked = subprocess.run(["promtool", "check", "metrics"], input=metrics.text, capture_output=True, text=True)
    expect(checked.returncode == 0 and not checked.stderr, f"promtool: {checked.stdout}{checked.stderr}")
    for path in ("/", "/-/healthy", "/-/ready"):
        status, text = world.fetch("gw", 10177, path)
        expect(status == 200, f"{path} answered {status}")
        if path == "/":
            expect(MANSION in text and FIVE_G in text and "Replies come back" in text, "the page does not say why")
    reflector = world.scrape("cloud", 10178)
    expect(reflector.value("uplink_reflector_packets_total", outcome="reflected") > 60, "the reflector's counter")
    home.done()


@scenario(90)
def seed_routing_table():
    """no default route through the 5G interface: its gateway alone makes the uplink work, and no route is added"""
    home = Home()
    expect(topology.default_routes("gw") == [f"default via {topology.CARRIER} dev eth2 "], "the seed's table")
    before = netns.run(None, "ip", "-n", "gw", "route", "show", "table", "main")
    home.healthy()
    time.sleep(5)
    expect(netns.run(None, "ip", "-n", "gw", "route", "show", "table", "main") == before, "the agent changed the table")
    expect(home.router.flows(agent.PORT), "nothing passes the 5G router")
    home.done()


def _redialled(redial):
    home = Home()
    verdicts = home.healthy()
    since = world.now()
    redial()
    time.sleep(40)
    verdicts.only(MANSION, "healthy", "unknown", "down", since=since)
    expect(verdicts.samples[-1][1][MANSION] == "healthy", f"not healthy again: {verdicts.history(MANSION, since)}")
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(130)
def redialled_with_a_new_address():
    """the carrier hands out another address: sockets follow, no fault is seen"""
    _redialled(topology.redial_address)


@scenario(130)
def redialled_as_a_new_interface():
    """the interface comes back with another index and address: sockets follow, no fault is seen"""
    _redialled(topology.redial_interface)


def _attributed(forward, back, seconds=45, udp_only=False, verdicts=(), **probe):
    """What the agent counts while the carrier loses packets, beside what the carrier really took from the probes.

    Losses are noted until the last probe is settled, after two minutes at the latest. What is no flow's probe is left out
    on both sides: there are no holds, a size check has a port of its own, and a trace of a way that is known ends before
    the far end.
    """
    home = Home(probe={"holds": [], **probe})
    home.carrier.note_large()
    home.healthy()
    world.wait_until(lambda: home.agent.output().count("id=WAY_LEARNED") >= 2, 60, "both uplinks' traces", every=1)
    names = {"sent": "probes_sent", "answered": "replies_received", "forward": "forward_lost", "return": "return_lost",
             "open": "unattributed_lost"}

    def counters(uplink=MANSION):
        metrics = world.scrape("gw")
        return {key: metrics.sum(f"uplink_udp_{name}_total", uplink=uplink) for key, name in names.items()}
    before = counters()
    home.fault(lambda: home.carrier.loss(forward, back, udp_only), verdicts)
    time.sleep(seconds)
    truth = {"forward": 0, "return": 0, "of size checks": 0}
    checks = home.carrier.large_ports()
    for ports, packets in home.carrier.dropped().items():
        if agent.PORT in ports:
            direction = "return" if ports[0] == agent.PORT else "forward"
            truth["of size checks" if checks & set(ports) else direction] += packets
    home.carrier.normal()

    def settled():
        nonlocal found
        found = {key: value - before[key] for key, value in counters().items()}
        return found["sent"] - sum(found[key] for key in ("answered", "forward", "return", "open")) <= 1  # on its way
    found = {}
    try:
        world.wait_until(settled, 130, "every lost probe being settled", every=1)
    finally:
        other = counters(FIVE_G)
        print(f"the carrier took {truth}; the agent counts {found}; on the other uplink {other}")
    expect(other["forward"] + other["return"] + other["open"] <= 2, "losses on the other uplink")
    home.done()
    return home, truth, found


def _share(truth, found, direction, other):
    """The loss is that direction's; the other has at most 1 % of what was sent."""
    lost = truth[direction]
    expect(0.9 * lost <= found[direction] <= 1.05 * lost + 5, f"{direction}: {found[direction]} of {lost} lost")
    expect(found[other] <= 0.01 * found["sent"], f"{other}: {found[other]} lost of {found['sent']} sent")


@scenario(240)
def attribution_of_return_loss():
    """20 % lost on the way back only: uplink_udp_return_lost_total carries it, forward stays within 1 %"""
    home, truth, found = _attributed(0, 20, interval="100ms")
    _share(truth, found, "return", "forward")
    home.verdicts.only(MANSION, "unknown", "healthy", "lossy")


@scenario(240)
def attribution_of_forward_loss():
    """the mirror case: uplink_udp_forward_lost_total carries it, return stays within 1 %"""
    home, truth, found = _attributed(20, 0, interval="100ms")
    _share(truth, found, "forward", "return")
    home.verdicts.only(MANSION, "unknown", "healthy", "lossy")


@scenario(240)
def attribution_of_total_return_loss():
    """every reply lost: all of it is return loss, none of it forward loss"""
    home, truth, found = _attributed(0, 100, udp_only=True, verdicts="one_way")
    expect(truth["return"] >= 20, f"the agent sent too little to tell: {truth}")
    _share(truth, found, "return", "forward")
    expect(found["open"] <= 0.05 * found["sent"], f"{found['open']} of {found['sent']} unattributed")


@scenario(60)
def start_up_errors():
    """a bad file, an absent one and a port in use: exit 2 and one line that says what to do"""
    home = Home()
    good = agent.write("/run/lab/good.yml", json.dumps(home.config))
    bad = agent.write("/run/lab/bad.yml", "uplinks:\n  - name: mansion\n    interface: eth2\n    gatway: 123.45.0.1\n")
    taken = netns.socket_in("gw", socket.SOCK_STREAM)
    taken.bind(("127.0.0.1", 10177))
    taken.listen()
    for flags, words in (
            (["--config.file", bad], ("bad.yml:4:", "gatway")),
            (["--config.file", "/run/lab/absent.yml"], ("absent.yml",)),
            (["--config.file", good], ("10177",)),
            (["--config.file", good, "--web.listen-address", "nonsense"], ("nonsense",))):
        done = subprocess.run(["ip", "netns", "exec", "gw", agent.program("uplink_exporter"), *flags],
                              capture_output=True, text=True, timeout=20)
        expect(done.returncode == 2, f"{flags}: exit {done.returncode}: {done.stderr}")
        for word in words:
            expect(word in done.stderr, f"{flags}: {word!r} is not in: {done.stderr}")
    for flags, words in ((["--config.file", "/run/lab/absent.yml"], ("absent.yml",)),):
        done = subprocess.run([agent.program("uplink_reflector"), *flags], capture_output=True, text=True, timeout=20)
        expect(done.returncode == 2 and words[0] in done.stderr, f"reflector: {done.returncode}: {done.stderr}")


@scenario(90)
def missing_key_turns_one_reflector_off():
    """a key file that is not there: one line with its name, and the other reflector goes on"""
    home = Home(reflectors=[agent.reflector_entry("cloud", topology.CLOUD),
                            agent.reflector_entry("keyless", topology.CLOUD2, key_file="/run/lab/none.key")])
    home.healthy()
    told = [line for line in home.agent.output().splitlines() if "none.key" in line]
    expect(len(told) == 1 and "level=error" in told[0], f"not one error line: {told}")
    home.done()


@scenario(60)
def reflector_refuses_garbage():
    """short, foreign and oversized datagrams are counted by reason and never answered beyond their own size"""
    topology.build()
    agent.write_key()
    agent.start_reflector()
    with netns.socket_in("inet") as probe:
        probe.settimeout(0.3)
        probe.connect((topology.CLOUD, agent.PORT))
        for size in (0, 1, 14, 43, 44, 111, 112, 200, 1400, 9000):
            payload = os.urandom(size)
            try:
                probe.send(payload)
                answer = probe.recv(65535)
            except OSError:
                continue
            expect(len(answer) <= size, f"{size} octets were answered with {len(answer)}")
            expect(False, f"{size} octets of garbage were answered")
    outcomes = {labels["outcome"]: value
                for labels, value in world.scrape("cloud", 10178).all("uplink_reflector_packets_total")}
    print(outcomes)
    expect(sum(outcomes.values()) == 10, f"not every datagram was counted: {outcomes}")
    expect(outcomes.get("reflected", 0) == 0, "garbage was reflected")
    expect(len([name for name, value in outcomes.items() if value]) >= 2, "reasons are not told apart")
