"""What happens to the reflector must not be blamed on an uplink; and what neither can explain stays open."""
import time

from . import agent, nat, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

BOTH = (MANSION, FIVE_G)


def _quiet(home, verdicts, since, *allowed):
    """Both uplinks showed only `allowed` since then."""
    for uplink in BOTH:
        verdicts.only(uplink, *allowed, since=since)
    home.done()


@scenario(120)
def reflector_killed():
    """its host refuses: reflector_down on every uplink, and no uplink is blamed"""
    home = Home()
    verdicts = home.healthy()
    home.reflector.kill()
    since = world.now()
    for uplink in BOTH:
        print(f"{uplink}: reflector_down after {verdicts.wait(uplink, 'reflector_down', 60, since):.1f} s")
    expect(world.scrape("gw").value("uplink_reflector_up", reflector="cloud") == 0, "uplink_reflector_up is not 0")
    time.sleep(15)
    _quiet(home, verdicts, since, "healthy", "unknown", "reflector_down")


@scenario(120)
def reflector_killed_and_another_lives():
    """with a second reflector the uplinks stay healthy, and the path towards the first says why"""
    home = Home(reflectors=[agent.reflector_entry("cloud", topology.CLOUD),
                            agent.reflector_entry("cloud2", topology.CLOUD2)])
    agent.start_reflector("cloud2")
    verdicts = home.healthy()
    home.reflector.kill()
    since = world.now()
    for uplink in BOTH:
        world.wait_until(lambda: world.scrape("gw").state("uplink_path_verdict", of="verdict", uplink=uplink,
                                                          reflector="cloud") == "reflector_down",
                         60, f"reflector_down on {uplink}'s path to cloud", every=0.5)
    time.sleep(15)
    metrics = world.scrape("gw")
    expect(metrics.value("uplink_reflector_up", reflector="cloud") == 0, "cloud is not down")
    expect(metrics.value("uplink_reflector_up", reflector="cloud2") == 1, "cloud2 is not up")
    _quiet(home, verdicts, since, "healthy")


@scenario(150)
def reflector_restarted():
    """a restart forgets every session and changes no verdict"""
    home = Home()
    verdicts = home.healthy()
    since = world.now()
    for _ in range(2):
        home.reflector.stop()
        home.reflector = agent.start_reflector()
        time.sleep(25)
    _quiet(home, verdicts, since, "healthy")


@scenario(150)
def reflector_replaced_behind_its_address():
    """another instance takes over the address: no verdict changes"""
    home = Home()
    topology.add_twin()
    agent.start_reflector("twin")
    verdicts = home.healthy()
    since = world.now()
    topology.route_to_twin()
    time.sleep(50)
    received = world.scrape("twin", 10178).sum("uplink_reflector_packets_total")
    expect(received >= 50, f"the twin received only {received} packets")
    _quiet(home, verdicts, since, "healthy")


@scenario(150)
def no_return_where_nobody_can_tell():
    """UDP and TCP reach different instances: healthy as long as replies come, then no_return, never udp_blocked"""
    home = Home()
    topology.add_twin()
    agent.start_reflector("twin")
    topology.route_to_twin("tcp")
    verdicts = home.healthy()
    time.sleep(10)
    home.carrier.no_return()
    since = world.now()
    print(f"no_return after {verdicts.wait(MANSION, 'no_return', 60, since):.1f} s")
    time.sleep(15)
    verdicts.only(MANSION, "healthy", "unknown", "no_return", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(150)
def witness_clears_the_uplinks():
    """the only reflector's host is silently gone while a STUN server answers: reflector_down"""
    home = Home(witnesses=[f"{topology.WITNESS}:{agent.STUN_PORT}"])
    agent.start_witness()
    verdicts = home.healthy()
    topology.silence_cloud()
    since = world.now()
    for uplink in BOTH:
        print(f"{uplink}: reflector_down after {verdicts.wait(uplink, 'reflector_down', 90, since):.1f} s")
    time.sleep(15)
    _quiet(home, verdicts, since, "healthy", "unknown", "reflector_down")


@scenario(150)
def silent_everywhere_without_a_witness():
    """the same without a witness proves nothing against the reflector: down, and the sentence says so"""
    home = Home()
    verdicts = home.healthy()
    topology.silence_cloud()
    since = world.now()
    for uplink in BOTH:
        verdicts.wait(uplink, "down", 90, since)
    page = world.fetch("gw", 10177, "/")[1]
    expect("witness" in page, "the page does not say that the reflector could be it")
    _quiet(home, verdicts, since, "healthy", "unknown", "down")


@scenario(60)
def unknown_without_an_address():
    """a name that does not resolve is evidence of nothing: unknown, and the agent goes on"""
    home = Home(reflectors=[{"name": "nowhere", "address": "reflector.invalid:862", "key_file": agent.KEY_FILE}])
    home.start_agent()
    time.sleep(20)
    _quiet(home, home.verdicts, 0, "unknown")
