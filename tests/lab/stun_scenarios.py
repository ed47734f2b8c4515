"""Our STUN client against a server that owns nothing of ours: coturn's."""
from . import agent, nat, netns, topology, world
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
