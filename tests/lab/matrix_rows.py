"""The rows of the matrix: a named behaviour, and what has to be said of it.

Timers are those of research into real systems, scaled by ten: unreplied / stream in seconds.
"""
import time

from . import agent, local_scenarios, nat, netns, size_scenarios, topology
from . import matrix_worlds as worlds
from .agent import MANSION

ROWS = {}
DEFAULT = {}  # settings of the probes; without any there is no ladder
FAST = {"interval": "250ms", "holds": []}  # four times the samples: evidence, not time, makes a verdict of loss
INF = float("inf")


class Row:
    """One behaviour of the world.

    verdict   what must be said in the end, and stay
    on_way    verdicts that may be shown before it, beside healthy and unknown
    scope     uplink_fault_scope in the end; never another one before it, "unknown" excepted
    truth     pattern -> seconds of silence that a mapping survives (INF: more than the longest hold)
    late      the behaviour begins once both uplinks are healthy, else before the agent starts
    irtt      irtt runs from two seconds before the behaviour on
    within    seconds that are waited for the verdict: generous, what it may take is told by detection.Fault
    age       of a flow in seconds, at which its replies end
    """

    def __init__(self, name, says, verdict, behave=None, on_way=(), scope="unknown", truth=None, late=True, irtt=False, probe=None,
                 prepare=None, within=60, stays=8, nat_info=None, config=None, wait_for=None, age=0):
        self.name, self.says, self.verdict, self.behave = name, says, verdict, behave
        self.allowed = {"healthy", "unknown", verdict, *on_way}
        self.scope = scope
        self.truth, self.late, self.irtt = truth or {}, late, irtt
        self.age, self.lifetime = age, self.truth.get("stream")
        self.probe = {"holds": []} if probe is None else probe
        self.prepare, self.within, self.stays, self.nat_info = prepare, within, stays, nat_info
        self.config, self.wait_for = config or {}, wait_for
        if name in ROWS:
            raise ValueError(f"two rows are called {name}")
        ROWS[name] = self


def _around(*timers):
    """Holds that tell these timers to the second, and one long one."""
    seconds = sorted({t + d for t in timers for d in (-1, 0, 1) if 0 < t + d <= 20})
    return {"holds": [f"{s}s" for s in [*seconds, 24]], "ladder_interval": "1m"}


def _timers(name, unreplied, stream, says, verdict="short_mapping"):
    def told(timer):
        return timer if timer < 24 else INF
    Row(name, f"{says}: {unreplied} s until answered, {stream} s for a stream", verdict, late=False,
        probe=_around(unreplied, stream), within=420, truth={"solitary": told(unreplied), "stream": told(stream)},
        scope="carrier" if verdict == "short_mapping" else "unknown",
        behave=lambda home: home.carrier.short_timers(unreplied, stream))


_timers("timer_linux", 3, 12, "Linux since 5.1")
_timers("timer_linux_old", 3, 18, "Linux before 5.1, AWS")
_timers("timer_mikrotik", 2, 18, "RouterOS")  # 1 s would be no more than the pause between two packets of a stream
_timers("timer_juniper", 6, 6, "J and SRX")
_timers("timer_mobile_core", 3, 2, "a mobile core whose streams are shorter")
_timers("timer_nokia", 2, 30, "7750 SR", verdict="healthy")
_timers("timer_fortinet", 30, 30, "a generous NAT", verdict="healthy")
Row("default_ladder", "12 s for a stream, and the ladder as it is by default", "short_mapping", late=False, probe=DEFAULT, within=420,
    truth={"stream": 12}, scope="carrier", behave=lambda home: home.carrier.short_timers(3, 12))
# Of this and the next no place can be told: a packet whose TTL ends at this NAT dies there before it would renew or make a
# mapping, and the next hop on this short way is the far end's own router already, which says nothing of the carrier.
Row("outbound_refresh", "only what is sent refreshes, for 4 s", "short_mapping", late=False, probe=_around(4), within=420,
    truth={"stream": 4}, behave=lambda home: home.carrier.outbound_refresh(4))
# Mappings have no lifetime here, so that there is no goal of how soon it is told: how long a hold survives is chance.
Row("evict_oldest", "idle mappings are thrown away every 6 s, flows that send keep their port", "short_mapping", late=False,
    probe=_around(2, 8), within=420, behave=lambda home: home.carrier.forget_every(6))

RETURN = ("return_lost",)
Row("one_way_filter", "b1: incoming UDP dropped before it is tracked", "one_way", lambda home: home.carrier.no_return(), RETURN,
    scope="carrier", irtt=True, probe=DEFAULT)
Row("one_way_stateless", "b2: UDP is not tracked", "one_way", lambda home: home.carrier.stateless(), RETURN, scope="carrier",
    irtt=True, probe=DEFAULT)
Row("one_way_from_start", "b1 before the agent starts", "one_way", lambda home: home.carrier.no_return(), RETURN, late=False,
    scope="carrier", probe=DEFAULT)
Row("absolute_4s", "a3: replies in the first 4 s of a flow only", "one_way", lambda home: home.carrier.one_way_after(4), RETURN,
    scope="carrier", irtt=True, age=4, probe=DEFAULT)
Row("absolute_15s", "a3: in the first 15 s", "one_way", lambda home: home.carrier.one_way_after(15), RETURN, scope="carrier",
    age=15, probe=DEFAULT)
Row("ports_rotate_no_return", "f: another port for every packet, nothing tracked", "one_way",
    lambda home: home.carrier.rotating_ports_without_return(), RETURN, scope="carrier", probe=DEFAULT)
Row("ports_rotate", "f: another port for every packet, replies find their way", "healthy",
    lambda home: home.carrier.rotating_ports(), stays=25)
Row("rebinding", "another port every 20 s", "healthy", lambda home: home.carrier.rebind_every(20), stays=45)
Row("poisoned_mapping", "replies to the steady port alone are dropped", "stuck_mapping",
    lambda home: home.carrier.poison([home.steady_port()]), RETURN, within=300, scope="carrier",
    probe=DEFAULT)
Row("table_full", "no new flow is accepted, old ones go on", "new_flows_blocked", lambda home: home.carrier.new_flows_limited(0),
    probe={"fresh_interval": "10s", "holds": []}, within=300, scope="carrier")
Row("rate_limit", "g: ten packets a second", "healthy", lambda home: home.carrier.rate_limit(10), stays=25)
Row("udp_blocked", "h: UDP filtered on the way out", "udp_blocked", lambda home: home.carrier.udp_blocked(), scope="carrier",
    irtt=True)
Row("udp_blocked_icmp", "h: ... and the carrier says so", "udp_blocked", lambda home: home.carrier.udp_blocked(reject=True),
    scope="carrier")
Row("loss_forward", "i: 15 % lost on the way out", "lossy", lambda home: home.carrier.loss(15, 0), probe=FAST, within=300, irtt=True)
Row("loss_back", "i: 15 % lost on the way back", "lossy", lambda home: home.carrier.loss(0, 15), probe=FAST, within=300, irtt=True)
Row("loss_both", "i: 12 % lost each way", "lossy", lambda home: home.carrier.loss(12, 12), probe=FAST, within=300, irtt=True)
Row("bursts_forward", "i: bursts of a second on the way out", "lossy", lambda home: home.carrier.bursts(forward=30), probe=FAST,
    within=300, irtt=True)
Row("bursts_back", "i: bursts of a second on the way back", "lossy", lambda home: home.carrier.bursts(back=30), probe=FAST,
    within=300, irtt=True)
Row("loss_slight", "i: 1 % lost each way", "healthy", lambda home: home.carrier.loss(1, 1), stays=40, irtt=True)
Row("delay_reorder", "a TUN loop: 40 +- 15 ms, 3 % overtaken, 3 % twice", "healthy",
    prepare=lambda home: worlds.slow_way(40, 15, 3, 3), stays=30)
Row("outage", "nothing passes", "down", lambda home: home.carrier.outage(), within=180, stays=15, scope="carrier")
Row("symmetric", "c: another port for every destination", "healthy", late=False, behave=lambda home: home.carrier.symmetric(),
    nat_info="address_and_port_dependent", stays=10)
Row("full_cone", "one port for all, and all may answer", "healthy", late=False, behave=lambda home: home.carrier.full_cone(),
    nat_info="endpoint_independent", stays=10)
Row("redialled", "a new address and a new interface index", "healthy", lambda home: topology.redial_interface(), on_way=("down",),
    stays=40)


def _flap(home):
    for _ in range(4):
        netns.ip("gw", "link set eth2 down")
        time.sleep(1)
        time.sleep(1)
        netns.ip("gw", "link set eth2 up", f"route replace default via {topology.CARRIER} dev eth2")


Row("flapping_link", "eth2 goes down and up four times", "healthy", _flap, on_way=("down",),
    stays=80)  # a bad verdict clears once new flows have lived for 25 s
Row("mtu_blackhole", "packets above 1400 octets vanish without a word", "mtu_blackhole",
    lambda home: size_scenarios.narrow("out", tells=False), within=300, scope="carrier")
# Every hop gets large packets; where on the way back, or behind the last hop, they vanish, no packet of ours can show.
Row("mtu_blackhole_back", "the same on the way back", "mtu_blackhole", lambda home: size_scenarios.narrow("back", tells=False),
    within=300)
Row("rp_filter", "strict reverse path filter, asymmetric routes", "local_fault", lambda home: local_scenarios.rp_filter(1),
    prepare=lambda home: local_scenarios.asymmetric_routes(), scope="gateway")
Row("input_drop", "a rule of the gateway drops what comes back", "local_fault",
    lambda home: local_scenarios.filter_rule("input", f'iifname "eth2" udp sport {agent.PORT}'), scope="gateway")
Row("output_drop", "a rule of the gateway drops what leaves", "local_fault",
    lambda home: local_scenarios.filter_rule("output", f'oifname "eth2" udp dport {agent.PORT}'), scope="gateway")


def _series(home):
    topology.add_home_router()
    home.cpe = nat.home_router()


Row("two_nats", "a home router and the carrier, both in order", "healthy", prepare=_series, stays=20)
Row("two_nats_timers", "20 s at home, 5 s at the carrier: the shorter one counts", "short_mapping", late=False, prepare=_series,
    probe=_around(5), within=420, truth={"stream": 5}, scope="carrier",
    behave=lambda home: (home.cpe.short_timers(20, 20), home.carrier.short_timers(5, 5)))
Row("one_way_at_home", "the home router stops tracking UDP", "one_way", prepare=_series, on_way=RETURN, scope="home",
    probe=DEFAULT, behave=lambda home: (home.cpe.stateless(topology.HOME_ADDRESS), home.cpe.forget_udp()))
Row("one_way_at_carrier", "two NATs, the carrier's stops tracking UDP", "one_way", prepare=_series, on_way=RETURN,
    scope="carrier", probe=DEFAULT, behave=lambda home: (home.carrier.stateless(), home.carrier.forget_udp()))

IPV6 = {"uplinks": [{"name": MANSION, "interface": "eth2", "family": "ipv6"}],
        "reflectors": [agent.reflector_entry("cloud", f"[{worlds.CLOUD6}]")]}
Row("ipv6_firewall", "IPv6 through a stateful firewall", "healthy", config=IPV6, wait_for=(MANSION,), stays=20,
    prepare=lambda home: (worlds.add_ipv6(), worlds.ipv6_firewall()))
# Routers' own errors come in: a firewall at home, the carrier's and the far end's look the same.
Row("ipv6_one_way", "an IPv6 firewall that lets no UDP in", "one_way", config=IPV6, wait_for=(MANSION,), on_way=RETURN,
    probe=DEFAULT, prepare=lambda home: (worlds.add_ipv6(), worlds.ipv6_firewall()), behave=lambda home: worlds.ipv6_firewall(udp_returns=False))
