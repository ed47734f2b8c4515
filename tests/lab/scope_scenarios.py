"""Whose NAT it is: the same faults at the home router and at the carrier, told apart by scope and hop."""
from . import local_scenarios, nat, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

AT_HOME, AT_CARRIER = f"hop 1 ({topology.HOME_ROUTER})", f"hop 2 ({topology.SHARED_CARRIER})"


class Series(Home):
    """A home router in front of the carrier's NAT on eth2."""

    def __init__(self, **config):
        super().__init__(**config)
        topology.add_home_router()
        self.cpe = nat.home_router()


def _scope(uplink=MANSION):
    return world.scrape("gw").state("uplink_fault_scope", of="scope", uplink=uplink)


def _learned(home):
    """Starts the agent, and waits until both uplinks are healthy for long enough to have traced their way."""
    verdicts = home.healthy()
    world.wait_until(lambda: home.agent.output().count("id=WAY_LEARNED") >= 2, 60, "both uplinks' traces", every=1)
    for uplink in (MANSION, FIVE_G):
        expect(_scope(uplink) == "unknown", f"{uplink} is healthy and has the scope {_scope(uplink)}")
    return verdicts


def _stateless(box, address):
    """It neither tracks UDP from now on nor remembers what it tracked before."""
    box.stateless(address)
    box.forget_udp()


def _located(home, fault, scope, *words, verdicts, timeout=120):
    """After `fault`, or from now on, the uplink has one of these verdicts, this scope, and the words in its sentence on the page."""
    since = home.fault(fault, verdicts) if fault else world.now()
    world.wait_until(lambda: _scope() == scope, timeout, f"the scope {scope}", every=0.5)
    took = world.now() - since
    verdict = world.scrape("gw").state("uplink_verdict", of="verdict", uplink=MANSION)
    expect(verdict in verdicts, f"the verdict is {verdict}")

    def told():
        page = world.fetch("gw", 10177, "/")[1]
        return all(word in page for word in words)
    # An ICMP error may tell the scope before the trace is over.
    world.wait_until(told, timeout, f"{words} on the page", every=0.5)
    expect(_scope() == scope, f"the scope is {_scope()} in the end")
    sentence = [line for line in home.agent.output().splitlines() if "UPLINK_SCOPE" in line][-1]
    print(f"{scope} after {took:.1f} s: {sentence}")
    return since


def _recovers(home, mend, since):
    mend()
    home.verdicts.wait(MANSION, "healthy", 120)
    world.wait_until(lambda: _scope() == "unknown", 10, "no scope on a healthy uplink")
    home.verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(300)
def scope_one_way_at_home():
    """the home router stops tracking UDP: scope home, hop 1"""
    home = Series()
    _learned(home)
    since = _located(home, lambda: _stateless(home.cpe, topology.HOME_ADDRESS), "home", f"lost at {AT_HOME}",
                     verdicts=("return_lost", "one_way"))
    home.verdicts.wait(MANSION, "one_way", 60, since)
    expect(_scope() == "home", "the scope is gone with the next verdict")
    _recovers(home, home.cpe.normal, since)


@scenario(300)
def scope_one_way_at_carrier():
    """the carrier's NAT stops tracking UDP: scope carrier, hop 2"""
    home = Series()
    _learned(home)
    since = _located(home, lambda: _stateless(home.carrier, topology.POOL), "carrier", f"lost at {AT_CARRIER}",
                     verdicts=("return_lost", "one_way"))
    _recovers(home, home.carrier.normal, since)


@scenario(300)
def scope_filter_at_carrier():
    """the carrier drops UDP replies and still knows the flow: every hop answers, scope carrier by the other uplink's word"""
    home = Series()
    _learned(home)
    since = _located(home, home.carrier.no_return, "carrier", "so no NAT has forgotten it",
                     verdicts=("return_lost", "one_way"))
    _recovers(home, home.carrier.normal, since)


@scenario(300)
def scope_udp_refused_at_carrier():
    """the carrier refuses UDP with an ICMP error: scope carrier, the hop that sent it"""
    home = Series()
    _learned(home)
    since = _located(home, lambda: home.carrier.udp_blocked(reject=True), "carrier",
                     f"refused at {AT_CARRIER}", "with ICMP admin-prohibited",
                     verdicts=("udp_blocked", "return_lost", "down"))
    _recovers(home, home.carrier.normal, since)


@scenario(300)
def scope_outage_at_carrier():
    """nothing passes the carrier's NAT, which still answers a trace: down, scope carrier, behind hop 2"""
    home = Series()
    _learned(home)
    since = _located(home, home.carrier.outage, "carrier", f"behind {AT_CARRIER}", verdicts=("down",))
    _recovers(home, home.carrier.normal, since)


@scenario(300)
def scope_outage_beyond():
    """the far end is gone without a word, for every uplink: scope beyond, the last router still answers"""
    home = Series()
    _learned(home)
    _located(home, topology.silence_cloud, "beyond", "beyond the carrier", verdicts=("down", "reflector_down"))
    world.wait_until(lambda: _scope(FIVE_G) == "beyond", 60, "the same on the other uplink")
    home.done()


def _short(home, box, scope, place):
    home.fault(lambda: box.short_timers(3, 6), "short_mapping", lifetime=6)
    home.start_agent()
    home.verdicts.wait(MANSION, "short_mapping", 200, home.started)
    _located(home, None, scope, f"lost at {place}", verdicts=("short_mapping",))
    home.done()


@scenario(400)
def scope_short_mapping_at_home():
    """the home router forgets a stream after 6 s: packets that end at hop 1 keep the mapping alive"""
    home = Series(probe={"holds": ["1s", "2s", "4s", "8s"]})
    _short(home, home.cpe, "home", AT_HOME)


@scenario(400)
def scope_short_mapping_at_carrier():
    """the carrier forgets a stream after 6 s: only packets that reach hop 2 keep the mapping alive"""
    home = Series(probe={"holds": ["1s", "2s", "4s", "8s"]})
    _short(home, home.carrier, "carrier", AT_CARRIER)


@scenario(200)
def scope_gateway():
    """strict reverse path filtering drops every reply: scope gateway, no carrier blamed"""
    home = Home(probe={"holds": []})
    local_scenarios.asymmetric_routes()
    home.healthy()
    local_scenarios.rp_filter(1)
    home.verdicts.wait(MANSION, "local_fault", 60)
    world.wait_until(lambda: _scope() == "gateway", 10, "the scope gateway")
    expect(_scope(FIVE_G) == "unknown", f"the other uplink's scope is {_scope(FIVE_G)}")
    home.done()
