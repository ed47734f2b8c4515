"""The lab checks itself: every NAT behaviour does to plain datagrams what its name says."""
import time

from . import nat, netns, openvpn, topology, udp, world
from .registry import expect, scenario


class Bench:
    """The topology, both NATs and an echo in the cloud."""

    def __init__(self):
        topology.build()
        self.carrier, self.router = nat.carrier(), nat.router_5g()
        self.echo = udp.Echo()

    def heard(self, label):
        """How many datagrams with this label the cloud has received."""
        return sum(1 for text, _ in self.echo.received if text.startswith(label + " "))


def _refused_and_tcp_open(bench, label, delivered):
    """A new flow gets no reply; the cloud received `delivered` of its datagrams; TCP works."""
    expect(udp.Flow().train(6, 0.1, label) == [], "a reply came back")
    expect(bench.heard(label) == delivered, f"the cloud received {bench.heard(label)}, not {delivered}")
    expect(udp.tcp_echo_once(), "TCP does not work")


@scenario(40)
def nat_passes_and_blocks():
    """normal, b1, b2, udp_blocked and outage, one after the other on standing and new flows"""
    bench = Bench()
    expect(topology.default_routes("gw") == [f"default via {topology.CARRIER} dev eth2 "], "the gateway's default route")
    steady = udp.Flow()
    expect(steady.train(5, 0.1, "a") == [0, 1, 2, 3, 4], "a normal NAT lost replies")
    expect(bench.carrier.steady_port(udp.PORT) == steady.port, "the steady flow's port")
    bench.carrier.no_return()
    began = world.now()
    expect(steady.train(6, 0.1, "b") == [], "b1 let a standing flow's reply through")
    expect(bench.carrier.dropped().get((udp.PORT, steady.port)) == 6, f"b1 noted {bench.carrier.dropped()}")
    _refused_and_tcp_open(bench, "b1", 6)
    bench.carrier.normal()
    expect(steady.train(3, 0.1, "c") == [0, 1, 2], "b1 did not go away")
    first = dict(bench.carrier.losses()).get((udp.PORT, steady.port), 0) - began
    expect(-1 < first < 0.3, f"b1's first loss is noted {first:.1f} s after it")
    bench.carrier.stateless()
    expect(steady.train(3, 0.1, "d") == [], "b2 let a standing flow's reply through")
    _refused_and_tcp_open(bench, "b2", 6)
    bench.carrier.normal()
    bench.carrier.udp_blocked()
    _refused_and_tcp_open(bench, "h1", 0)
    bench.carrier.udp_blocked(reject=True)
    _refused_and_tcp_open(bench, "h2", 0)
    bench.carrier.outage()
    expect(steady.train(3, 0.1, "e") == [] and bench.heard("e") == 0, "an outage let something through")
    expect(not udp.tcp_echo_once(), "an outage let TCP through")
    bench.carrier.normal()
    expect(steady.train(3, 0.1, "f") == [0, 1, 2], "the outage did not go away")


@scenario(60)
def nat_lifetimes():
    """a3 ends every flow at its age whatever is sent; a2 only an idle one; the 5G side never notices"""
    bench = Bench()
    standing = udp.Flow()
    standing.train(4, 0.25, "old")
    bench.carrier.one_way_after(4)
    answered = standing.train(16, 0.5, "s")
    expect(answered in (list(range(8)), list(range(9))), f"a standing flow gets 4 s more: {answered}")
    expect(bench.heard("s") == 16, "a3 lost packets forward")
    answered = udp.Flow().train(12, 0.5, "n")
    expect(answered in (list(range(8)), list(range(9))), f"a new flow lives for 4 s: {answered}")
    bench.carrier.short_timers(3, 6)
    early, late, busy = udp.Flow(), udp.Flow(), udp.Flow()
    early.send("hold 2.5")
    late.send("hold 4")
    expect(busy.train(8, 1, "busy") == list(range(8)), "a busy flow suffers from a2")
    expect(early.replies() == ["hold 2.5"] and late.replies() == [], "a2's idle time is not 3 s")


@scenario(60)
def nat_limits_poison_and_loss():
    """new flows refused, one port poisoned, loss by direction, and re-binding to another outer port"""
    bench = Bench()
    steady = udp.Flow()
    steady.train(3, 0.1, "a")
    bench.carrier.new_flows_limited(5)
    flows = [udp.Flow() for _ in range(12)]
    alive = sum(flow.train(1, 0, f"l{i}") == [0] for i, flow in enumerate(flows))
    expect(alive == 5, f"{alive} of 12 new flows work, not 5")
    expect(steady.train(3, 0.1, "b") == [0, 1, 2], "the limit hurt a standing flow")
    bench.carrier.poison([steady.port])
    expect(steady.train(3, 0.1, "c") == [] and bench.heard("c") == 3, "the poisoned port still works")
    expect(udp.Flow().train(3, 0.1, "d") == [0, 1, 2], "another port is poisoned too")
    for forward, back in ((20, 0), (0, 20)):
        bench.carrier.loss(forward, back)
        label = f"loss{forward}"
        answered = len(udp.Flow().train(1000, 0.002, label))
        lost = 1000 - bench.heard(label), bench.heard(label) - answered
        for have, want in zip(lost, (forward, back)):
            expect(want * 6 <= have <= want * 14, f"{want} % loss took {have} of 1000")
    bench.carrier.rebind_every(2)
    time.sleep(0.5)
    expect(len(steady.train(80, 0.1, "r")) >= 75, "re-binding lost replies")
    ports = {port for text, port in bench.echo.received if text.startswith("r ")}
    expect(4 <= len(ports) <= 6, f"re-binding used the outer ports {ports}")


@scenario(30)
def nat_redial_and_routes():
    """the 5G uplink needs its host route; a re-dialled eth2 works with a new address and with a new index"""
    bench = Bench()
    netns.ip("gw", f"route add {topology.CLOUD}/32 via {topology.ROUTER_5G} dev eth1")
    flow = udp.Flow(interface=None)
    expect(flow.train(2, 0.1, "g") == [0, 1], "the 5G router does not carry")
    bench.carrier.no_return()
    expect(flow.train(2, 0.1, "h") == [0, 1], "the carrier's fault is felt behind the 5G router")
    netns.ip("gw", f"route del {topology.CLOUD}/32")
    bench.carrier.normal()
    topology.redial_address()
    expect(udp.Flow().train(2, 0.1, "i") == [0, 1], "no return after a new address")
    topology.redial_interface()
    expect(udp.Flow().train(2, 0.1, "j") == [0, 1], "no return after a new interface")
    topology.add_twin()
    topology.route_to_twin()
    twin = udp.Echo("twin")
    expect(udp.Flow().train(2, 0.1, "k") == [0, 1] and len(twin.received) == 2, "the twin does not answer")
    topology.silence_cloud()
    expect(udp.Flow().train(2, 0.1, "m") == [], "the silenced cloud answers")


@scenario(120)
def openvpn_loops_behind_a3():
    """the seed: a lifetime of 4 s lets handshakes pass and the tunnel die, for ever; the host route ends it"""
    bench = Bench()
    openvpn.make_certificates()
    openvpn.start_server()
    openvpn.start_client().must_live()
    world.wait_until(openvpn.reaches_home, 20, "the tunnel")
    expect(len(openvpn.arrivals()) == 1, "one arrival")
    bench.carrier.one_way_after(4)
    world.wait_until(lambda: openvpn.restarts() >= 3, 60, "three restarts")
    arrivals = openvpn.arrivals()
    expect(len(arrivals) >= 3 and len(set(arrivals)) == len(arrivals), f"a new port each time: {arrivals}")
    expect(openvpn.connects() >= 3, "handshakes pass")
    netns.ip("gw", f"route add {topology.CLOUD}/32 via {topology.ROUTER_5G} dev eth1")
    world.wait_until(lambda: all(openvpn.reaches_home() for _ in range(3)), 30, "the tunnel through the 5G router")
    restarts = openvpn.restarts()
    time.sleep(12)
    expect(openvpn.restarts() == restarts and openvpn.reaches_home(), "the tunnel does not stand")
