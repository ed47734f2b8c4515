"""Our STUN client against a server that owns nothing of ours: coturn's."""
import time

from . import agent, nat, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

SECOND = "198.18.0.11"  # coturn's other address


def _ask(name, server):
    """What lab_stun prints in namespace `name`, by name; empty where no answer comes."""
    text = netns.run(name, agent.program("lab_stun"), server, str(agent.STUN_PORT), check=False)
    return dict(line.split(" ", 1) for line in text.splitlines())


@scenario(60)
def stun_against_coturn():
    """the client reads coturn's answers: through the carrier NAT, with its other address, over IPv6; none where none comes back"""
    topology.build()
    carrier = nat.carrier()
    netns.ip("witness", f"addr add {SECOND}/24 dev eth0")
    process = agent.start_witness(topology.WITNESS, SECOND, "::1")
    direct = world.wait_until(lambda: _ask("witness", topology.WITNESS) or process.must_live(), 30, "coturn's answer")
    print(direct)
    expect(direct["mapped"] == f"{topology.WITNESS}:{direct['port']}" and direct["xor"] == "1", f"without a NAT: {direct}")
    expect(direct["origin"] == f"{topology.WITNESS}:{agent.STUN_PORT}", f"without a NAT: {direct}")
    expect(direct["other"].startswith(SECOND + ":"), f"its other address: {direct}")

    outside = _ask("gw", topology.WITNESS)
    print(outside)
    expect(outside["mapped"].split(":")[0] == topology.POOL, f"through the carrier: {outside}")
    mapped = outside["mapped"].split(":")[1]
    table = netns.run("cgn", "conntrack", "-L", "-p", "udp", "--orig-port-src", outside["port"])
    expect(f"dport={mapped} " in table, f"the NAT itself says otherwise: {outside} {table}")

    six = _ask("witness", "::1")
    expect(six["mapped"] == f"[::1]:{six['port']}", f"over IPv6: {six}")
    carrier.no_return()
    expect(_ask("gw", topology.WITNESS) == {}, "an answer where none comes back")


def _stun_home():
    """No reflector of ours anywhere: both uplinks measured against coturn, UDP and TCP."""
    home = Home(reflector=False, probe={"holds": []},
                reflectors=[{"name": "public", "address": f"{topology.WITNESS}:{agent.STUN_PORT}", "protocol": "stun"}])
    process = agent.start_witness()
    world.wait_until(lambda: _ask("inet", topology.WITNESS) or process.must_live(), 30, "coturn's answer")
    verdicts = home.healthy()
    expect(agent.page_says("Seen as", f"{topology.POOL}:"), "the page does not show the mapped address")
    return home, verdicts


@scenario(200)
def stun_only_no_return():
    """replies lost at the carrier, only a STUN server to ask: no_return, never a direction; healthy when it mends"""
    home, verdicts = _stun_home()
    home.carrier.no_return()
    since = world.now()
    print(f"no_return after {verdicts.wait(MANSION, 'no_return', 45, since):.1f} s")
    time.sleep(10)
    home.carrier.normal()
    verdicts.wait(MANSION, "healthy", 120)
    verdicts.only(MANSION, "healthy", "unknown", "no_return", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    lost = {what: home.counters(f"uplink_udp_{what}_lost_total") for what in ("forward", "return")}
    expect(not any(lost.values()), f"a direction was claimed: {lost}")
    home.done()


@scenario(200)
def stun_only_outage():
    """nothing passes, only a STUN server to ask: down"""
    home, verdicts = _stun_home()
    time.sleep(5)
    home.carrier.outage()
    since = world.now()
    print(f"down after {verdicts.wait(MANSION, 'down', 60, since):.1f} s")
    verdicts.only(MANSION, "healthy", "unknown", "down", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(200)
def first_run_without_configuration():
    """no file and no server of ours: every uplink is found, measured against the public STUN servers, and told apart"""
    topology.build()
    carrier, _ = nat.carrier(), nat.router_5g()
    netns.ip("gw", f"route add default via {topology.ROUTER_5G} dev eth1 metric 200")
    names = {"stun.l.google.com": (topology.WITNESS, 19302), "stun.cloudflare.com": ("198.18.0.21", agent.STUN_PORT),
             "stun.nextcloud.com": ("198.18.0.22", agent.STUN_PORT)}
    netns.answer_names({name: address for name, (address, _) in names.items()})
    for name, (address, port) in names.items():
        if address != topology.WITNESS:
            netns.ip("witness", f"addr add {address}/24 dev eth0")
        agent.start_witness(address, port=port, label=name, udp_only=name != "stun.nextcloud.com")
    process = world.Process("gw", "agent", [agent.program("uplink_exporter")])
    world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or process.must_live(), 15, "the agent's page")
    verdicts = agent.Verdicts()
    for uplink in ("eth1", "eth2"):
        verdicts.wait(uplink, "healthy", 60)
        expect(len(world.scrape("gw").all("uplink_path_verdict", uplink=uplink, verdict="healthy")) == len(names),
               f"{uplink} is not measured against each server")
    since = world.now()
    sent = world.scrape("gw").sum("uplink_udp_probes_sent_total", uplink="eth2", reflector="google", flow="steady")
    carrier.no_return()
    print(f"no_return after {verdicts.wait('eth2', 'no_return', 60, since):.1f} s")
    verdicts.only("eth2", "healthy", "unknown", "no_return", since=since)
    verdicts.only("eth1", "healthy", since=since)
    expect(sent <= 20, f"a public server was asked {sent} times in the first seconds")
    verdicts.stop()
    process.must_live()
