"""Each verdict, and what must not be taken for it. Faults begin when both uplinks have been found healthy."""
import time

from . import nat, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

LOSSES = ("one_way", "return_lost", "stuck_mapping", "new_flows_blocked", "udp_blocked", "no_return", "down",
          "reflector_down")


def _one_way(fault, patience=30, age=0, **config):
    """One way from a healthy start: never taken for anything else, the other uplink untouched."""
    home = Home(**config)
    verdicts = home.healthy()
    since = home.fault(lambda: fault(home.carrier), "one_way", age=age)
    verdicts.wait(MANSION, "one_way", patience, since)
    time.sleep(20)
    verdicts.only(MANSION, "healthy", "return_lost", "one_way", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    expect(verdicts.samples[-1][1][MANSION] == "one_way", "the verdict did not stay")
    home.done()
    return home


@scenario(120)
def one_way_b1():
    """incoming UDP dropped outside the tracking: one_way"""
    _one_way(nat.Nat.no_return)


@scenario(120)
def one_way_b2():
    """a fully stateless NAT: one_way"""
    _one_way(nat.Nat.stateless)


@scenario(120)
def one_way_a3():
    """the seed's carrier, a lifetime of 4 s: return_lost, then one_way"""
    home = _one_way(lambda carrier: carrier.one_way_after(4), age=4)
    expect("return_lost" in home.verdicts.history(MANSION), "one_way came before new flows had time to tell")


@scenario(300)
def one_way_metered():
    """the same, asked every 15 s only: one_way all the same"""
    _one_way(lambda carrier: carrier.one_way_after(4), 120, age=4, probe={"profile": "metered"})


@scenario(120)
def one_way_from_the_start():
    """replies lost before the agent starts: one_way, and never blocked or down"""
    home = Home()
    home.fault(lambda: home.carrier.loss(back=100, udp_only=True), "one_way")
    home.start_agent()
    home.verdicts.wait(MANSION, "one_way", 45)
    home.verdicts.wait(FIVE_G, "healthy", 45)
    time.sleep(15)
    home.verdicts.only(MANSION, "unknown", "return_lost", "one_way")
    home.verdicts.only(FIVE_G, "unknown", "healthy")
    home.done()


@scenario(200)
def one_way_clears_late():
    """a carrier that recovers is healthy only when new flows have lived for 25 s"""
    home = Home()
    verdicts = home.healthy()
    verdicts.wait(MANSION, "one_way", 30, home.fault(home.carrier.no_return, "one_way"))
    home.carrier.normal()
    since = world.now()
    healthy = verdicts.wait(MANSION, "healthy", 120, since)
    expect(healthy >= 25, f"cleared after {healthy:.0f} s")
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(200)
def lossy_is_never_one_way():
    """10 % random loss each way is lossy and nothing worse"""
    home = Home(probe={"interval": "250ms"})  # four times the samples: evidence, not time, makes it lossy
    verdicts = home.healthy()
    home.carrier.loss(10, 10)
    verdicts.wait(MANSION, "lossy", 120)
    time.sleep(30)
    verdicts.only(MANSION, "unknown", "healthy", "lossy")
    verdicts.only(FIVE_G, "unknown", "healthy")
    home.done()


@scenario(200)
def down_in_a_clean_outage():
    """nothing passes either way: down, and never taken for a dead return path, filter or reflector"""
    home = Home()
    verdicts = home.healthy()
    since = home.fault(home.carrier.outage, "down")
    verdicts.wait(MANSION, "down", 60, since)
    time.sleep(20)
    verdicts.only(MANSION, "healthy", "down", "unknown", since=since)
    home.carrier.normal()
    verdicts.wait(MANSION, "healthy", 100)
    verdicts.only(MANSION, "healthy", "down", "unknown", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(150)
def down_without_a_link():
    """the 5G interface vanishes: only its uplink is down; it comes back with another index and recovers"""
    home = Home()
    verdicts = home.healthy()
    since = world.now()
    topology.remove_interface("gw", "eth1")
    verdicts.wait(FIVE_G, "down", 30)
    topology.connect(("gw", "eth1", topology.GATEWAY_5G + "/24"), ("fiveg", "home", topology.ROUTER_5G + "/24"))
    verdicts.wait(FIVE_G, "healthy", 90)
    verdicts.only(FIVE_G, "healthy", "down", "unknown", since=since)
    verdicts.only(MANSION, "healthy", since=since)
    home.done()


@scenario(150)
def stuck_mapping_is_cured_by_a_new_port():
    """only the steady port is poisoned: stuck_mapping once a successor outlived it, never one_way"""
    home = Home()
    verdicts = home.healthy()
    since = home.fault(lambda: home.carrier.poison([home.steady_port()]), "stuck_mapping")
    verdicts.wait(MANSION, "return_lost", 15)
    verdicts.wait(MANSION, "stuck_mapping", 100, since)
    verdicts.only(MANSION, "healthy", "return_lost", "stuck_mapping", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(200)
def new_flows_blocked_by_a_full_table():
    """a NAT whose table is full answers the steady flow only: new_flows_blocked, never one_way"""
    home = Home(probe={"fresh_interval": "10s"})
    verdicts = home.healthy()
    home.carrier.new_flows_limited(20)
    household = [netns.socket_in("lan") for _ in range(60)]  # other flows that fill the table and keep it full
    for flow in household:
        flow.setblocking(False)

    def chatter():
        for flow in household:
            try:
                flow.sendto(b"x", (topology.CLOUD, 9))
            except OSError:  # an ICMP error of an earlier one
                pass
    filler = world.Periodic(0.3, chatter)
    since = world.now()
    print(f"new_flows_blocked after {verdicts.wait(MANSION, 'new_flows_blocked', 120):.1f} s")
    time.sleep(15)
    verdicts.only(MANSION, "healthy", "new_flows_blocked", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    filler.stop()
    home.done()


def _udp_blocked(reject):
    home = Home()
    verdicts = home.healthy()
    since = home.fault(lambda: home.carrier.udp_blocked(reject), "udp_blocked")
    verdicts.wait(MANSION, "udp_blocked", 60, since)
    if reject:
        page = world.fetch("gw", 10177, "/")[1]
        expect(f"{topology.CARRIER} refuses them with ICMP admin-prohibited" in page, "the page does not name the offender")
    time.sleep(15)
    verdicts.only(MANSION, "healthy", "unknown", "udp_blocked", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(120)
def udp_blocked_silently():
    """UDP filtered on the way out, TCP open: udp_blocked"""
    _udp_blocked(False)


@scenario(120)
def udp_blocked_with_an_icmp_error():
    """the same from a carrier that says so"""
    _udp_blocked(True)


@scenario(200)
def healthy_while_the_nat_rebinds():
    """a NAT that moves every flow to a new outer port every 20 s changes no verdict and is counted"""
    home = Home()
    verdicts = home.healthy()
    since = world.now()
    home.carrier.rebind_every(20)
    time.sleep(85)
    verdicts.only(MANSION, "healthy", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    changes = home.counters("uplink_udp_mapped_endpoint_changes_total", part="port")
    expect(changes >= 2, f"{changes} changes of the mapped port were counted, not 2 or more")  # every 30th probe asks
    home.carrier.stop_forgetting()
    home.done()


@scenario(150)
def healthy_behind_short_timers():
    """idle timers of 3 s and 6 s take nothing from a flow that keeps sending: not one_way"""
    home = Home()
    verdicts = home.healthy()
    since = world.now()
    home.carrier.short_timers(3, 6)
    time.sleep(75)
    verdicts.only(MANSION, "healthy", "short_mapping", since=since)
    home.done()
