"""The hold ladder against real NATs: how long a mapping lives, and what that means for a tunnel."""
from . import agent, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .nat_info_scenarios import SECOND
from .registry import expect, scenario

HOLDS = ["1s", "2s", "4s", "8s", "12s"]
PATTERNS = ("solitary", "exchange", "stream", "inbound", "active")
INF = float("inf")


def _bracket(uplink, pattern):
    page = world.scrape("gw")
    return tuple(page.value("uplink_udp_mapping_lifetime_seconds", uplink=uplink, pattern=pattern, bound=bound)
                 for bound in ("lower", "upper"))


@scenario(240)
def short_mapping():
    """timers of 3 s and 6 s on one carrier: short_mapping there with the bracket, the other uplink healthy"""
    home = Home(probe={"holds": HOLDS})
    home.fault(lambda: home.carrier.short_timers(3, 6), "short_mapping", lifetime=6)
    verdicts = home.healthy()
    verdicts.wait(MANSION, "short_mapping", 150, since=home.started)

    def sharp():
        lower, upper = _bracket(MANSION, "stream")
        return lower is not None and upper - lower <= 1 and lower <= 6.5 and upper >= 5.5
    world.wait_until(sharp, 90, "a bracket of one second around 6 s", every=1)
    lower, upper = _bracket(FIVE_G, "stream")
    expect(lower == 12 and upper == float("inf"), f"the 5G router's bracket: {lower}..{upper}")
    print(f"stream on {MANSION}: {_bracket(MANSION, 'stream')}, solitary: {_bracket(MANSION, 'solitary')}")
    verdicts.only(MANSION, "unknown", "healthy", "short_mapping")
    verdicts.only(FIVE_G, "unknown", "healthy")
    held = world.scrape("cloud", 10178)
    expect(held.value("uplink_reflector_holds_total", outcome="sent") > 0, "no reply was held")
    home.done()


@scenario(600)
def short_mapping_that_begins_later():
    """the timers of a carrier that was long found healthy become short: short_mapping there; and long again: healthy"""
    home = Home(probe={"holds": ["1s", "2s", "4s", "8s"], "ladder_interval": "30s"})
    verdicts = home.healthy()

    def becomes(what, pattern, *brackets, timeout):
        world.wait_until(lambda: _bracket(MANSION, pattern) in brackets, timeout, f"{what}: {pattern} of {brackets}", every=1)
    for pattern in PATTERNS:  # whoever changes them now waits for the next look, for as long as it may take
        becomes("the whole ladder at first", pattern, (8, INF), timeout=240)
    for uplink in (MANSION, FIVE_G):
        verdicts.only(uplink, "unknown", "healthy")

    since = home.fault(lambda: home.carrier.short_timers(3, 6), "short_mapping", lifetime=6)
    took = verdicts.wait(MANSION, "short_mapping", 180, since)
    becomes("short", "stream", (5, 6), (6, 7), timeout=120)  # the kernel's timers tick
    world.wait_until(lambda: world.scrape("gw").state("uplink_fault_scope", of="scope", uplink=MANSION) == "carrier", 90,
                     "the scope carrier", every=1)
    verdicts.only(MANSION, "healthy", "short_mapping", since=since)

    home.carrier.normal()
    mended = world.now()
    again = verdicts.wait(MANSION, "healthy", 150, mended)
    becomes("long again", "stream", (8, INF), timeout=30)
    print(f"short_mapping after {took:.1f} s, healthy again after {again:.1f} s: {verdicts.history(MANSION, since)}")
    verdicts.only(MANSION, "healthy", "short_mapping", since=since)
    verdicts.only(FIVE_G, "unknown", "healthy")
    home.done()


@scenario(240)
def long_mapping_is_healthy():
    """Linux's own timers: every hold comes back, on both uplinks, and nothing is said of it"""
    home = Home(probe={"holds": HOLDS})
    verdicts = home.healthy()
    for uplink in (MANSION, FIVE_G):
        world.wait_until(lambda u=uplink: _bracket(u, "stream")[0] == 12, 120, f"the ladder on {uplink}", every=1)
        expect(_bracket(uplink, "stream")[1] == float("inf"), f"{uplink}: {_bracket(uplink, 'stream')}")
    verdicts.only(MANSION, "unknown", "healthy")
    verdicts.only(FIVE_G, "unknown", "healthy")
    home.done()


@scenario(300)
def short_mapping_by_stun():
    """no reflector of ours: RESPONSE-PORT of coturn finds the carrier's timers, and short_mapping with them"""
    home = Home(reflector=False, probe={"holds": HOLDS}, witnesses=[],
                reflectors=[{"name": "public", "address": f"{topology.WITNESS}:{agent.STUN_PORT}", "protocol": "stun"}])
    netns.ip("witness", f"addr add {SECOND}/24 dev eth0")
    agent.start_witness(topology.WITNESS, SECOND)
    home.fault(lambda: home.carrier.short_timers(3, 6), "short_mapping", lifetime=6)
    verdicts = home.healthy()
    verdicts.wait(MANSION, "short_mapping", 200, since=home.started)
    lower, upper = _bracket(MANSION, "stream")
    expect(lower <= 6.5 and 5.5 <= upper <= 12, f"the stream's bracket: {lower}..{upper}")
    print(f"stream on {MANSION}: {lower}..{upper}, on {FIVE_G}: {_bracket(FIVE_G, 'stream')}")
    verdicts.only(MANSION, "unknown", "healthy", "short_mapping")
    verdicts.only(FIVE_G, "unknown", "healthy")
    home.done()
