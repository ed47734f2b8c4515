"""`uplinktool diagnose`: the same measurements in one shot, with nothing left behind."""
import json
import signal
import subprocess

from . import agent, local_scenarios, nat, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .nat_info_scenarios import SECOND
from .registry import expect, scenario

MINUTE = 65  # s: within which it ends by itself, whatever it finds
CONFIRMED = 95  # s: ... where a suspicion is confirmed: beside three paths it has room for few holds at a time
# Who stands for the public servers of the built-in configuration: the last two are one server of RFC 5780.
PUBLIC = {"stun.l.google.com": "198.18.0.12", "stun.cloudflare.com": topology.WITNESS, "stun.nextcloud.com": SECOND}
EIM, APD = "endpoint_independent", "address_and_port_dependent"


def _tables():
    """Every rule and route of the gateway; those of IPv6 come by themselves as its interfaces settle."""
    return netns.run("gw", "ip", "-4", "rule"), netns.run("gw", "ip", "-4", "route", "show", "table", "all")


def _start(home, *more):
    """With home's configuration, or with none at all."""
    given = []
    if home:
        given = ["--config.file", agent.write("/run/lab/diagnose.yml", json.dumps(home.config, indent=1))]
    command = [agent.program("uplinktool"), "diagnose", *given, *more]
    return subprocess.Popen(["ip", "netns", "exec", "gw", *command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _report(home, code, *more, within=MINUTE):
    """What it prints, after checks that hold for every run."""
    before = _tables()
    began = world.now()
    process = _start(home, *more)
    out, progress = process.communicate(timeout=CONFIRMED + 30)
    took = world.now() - began
    print(progress)
    print(f"{took:.0f} s\n{out}")
    expect(process.returncode == code, f"exit code {process.returncode} instead of {code}")
    expect(_tables() == before, f"it left rules or routes behind: {_tables()} after {before}")
    uplinks = (MANSION, FIVE_G) if home else ("eth2",)
    expect("\r" not in progress and "0 s: " in progress and all(u in progress for u in uplinks),
           f"no terminal, no redrawing, and every uplink: {progress!r}")
    expect(took < within, f"{took:.0f} s, where {within} s are enough to learn all that can be learned")
    return out


def _diagnose(home, code, **more):
    """The report as a program reads it, uplinks by name."""
    report = json.loads(_report(home, code, "--json", **more))
    expect(report["schema"] == 1 and report["exit_code"] == code, f"{report['schema']}, {report['exit_code']}")
    return {uplink["name"]: uplink for uplink in report["uplinks"]}


def _is(uplink, **want):
    for key, value in want.items():
        expect(uplink[key] == value, f"{uplink['name']}: {key} is {uplink[key]!r}, not {value!r}")


@scenario(200)
def diagnose_healthy():
    """both uplinks healthy: exit code 0, the bracket, the mapped address; as text it says the same"""
    home = Home()
    found = _diagnose(home, 0)
    for name in (MANSION, FIVE_G):
        _is(found[name], verdict="healthy", scope="unknown", local_faults=[], advice=None)
        _is(found[name]["lifetimes"]["stream"] | {"name": name}, lower_seconds=15, upper_seconds=None)
    expect(found[MANSION]["mapped_endpoint"].startswith(topology.POOL + ":"), found[MANSION]["mapped_endpoint"])
    # Nobody but one reflector is asked here, which cannot tell how the NAT maps for others.
    expect(found[MANSION]["nat"]["carrier_grade"] == "yes", f"{found[MANSION]['nat']}")


@scenario(200)
def diagnose_one_way():
    """the carrier forgets every flow after 4 s: exit code 3, one_way, what to do; the other uplink healthy"""
    home = Home()
    home.carrier.one_way_after(4)
    found = _diagnose(home, 3)
    _is(found[MANSION], verdict="one_way", scope="carrier")
    expect("route add" in found[MANSION]["advice"], found[MANSION]["advice"])
    _is(found[FIVE_G], verdict="healthy")


def _with_witness(*addresses, **config):
    """A home whose uplinks may ask coturn, too; with two addresses it offers RFC 5780."""
    home = Home(**config)
    _coturn(*addresses)
    return home


def _coturn(*addresses, **more):
    for address in addresses:
        if address != topology.WITNESS:
            netns.ip("witness", f"addr add {address}/24 dev eth0")
    process = agent.start_witness(*addresses, **more)
    world.wait_until(lambda: netns.run("inet", agent.program("lab_stun"), addresses[0], str(more.get("port", agent.STUN_PORT)),
                                       check=False) or process.must_live(), 30, "coturn's answer")


@scenario(200)
def diagnose_short_mapping():
    """the carrier forgets a stream after 6 s: exit code 1, the bracket, whose NAT it is and how it is, the keepalive"""
    home = _with_witness(topology.WITNESS, SECOND, witnesses=[f"{topology.WITNESS}:{agent.STUN_PORT}"])
    home.carrier.short_timers(3, 6)
    found = _diagnose(home, 1)
    _is(found[MANSION], verdict="short_mapping", scope="carrier",
        nat={"mapping": EIM, "filtering": APD, "carrier_grade": "yes"})
    stream = found[MANSION]["lifetimes"]["stream"]
    expect(stream["lower_seconds"] <= 6.5 and 5.5 <= stream["upper_seconds"] <= 10, f"{stream}")
    expect("keepalive" in found[MANSION]["why"] and "lost at hop 1" in found[MANSION]["why"], found[MANSION]["why"])
    expect("keepalive" in found[MANSION]["advice"], found[MANSION]["advice"])
    expect(found[MANSION]["mapped_endpoint"].startswith(topology.POOL + ":"), found[MANSION]["mapped_endpoint"])
    _is(found[FIVE_G], verdict="healthy", nat={"mapping": EIM, "filtering": APD, "carrier_grade": "unknown"})


@scenario(200)
def diagnose_in_words():
    """a full cone that forgets a stream after 11 s, as a person reads it: every fact in a line of its own"""
    home = _with_witness(topology.WITNESS, SECOND, witnesses=[f"{topology.WITNESS}:{agent.STUN_PORT}"])
    home.carrier.full_cone_for(11)
    text = _report(home, 1)
    mansion = text[text.index(MANSION + " (eth2"):text.index(FIVE_G + " (eth1")]
    for words in (f"{MANSION} (eth2 via {topology.CARRIER}): short_mapping", "  why         The NAT behind mansion forgets",
                  "  whose fault carrier", "  silence     10 s survived, 15 s not (stream)", f"  seen as     {topology.POOL}:",
                  "  NAT         mapping endpoint independent, filtering endpoint independent, carrier-grade yes",
                  "  round trip  ", "  what to do  Set the keepalive that the reason names"):
        expect(words in mansion, f"{words!r} is not printed")


@scenario(200)
def diagnose_stun_only():
    """a STUN server of one address and no reflector: verdict and mapped address, and an end as soon as that is known"""
    home = Home(reflector=False, reflectors=[
        {"name": "public", "address": f"{topology.WITNESS}:{agent.STUN_PORT}", "protocol": "stun"}])
    _coturn(topology.WITNESS)
    found = _diagnose(home, 0, within=40)
    for name in (MANSION, FIVE_G):
        _is(found[name], verdict="healthy", scope="unknown", lifetimes={}, advice=None)
    expect(found[MANSION]["mapped_endpoint"].startswith(topology.POOL + ":"), found[MANSION]["mapped_endpoint"])
    _is(found[MANSION], nat={"mapping": "unknown", "filtering": "unknown", "carrier_grade": "yes"})


def _public():
    """The lab, and in it servers that bear the names of the built-in configuration's."""
    topology.build()
    carrier = nat.carrier()
    nat.router_5g()
    netns.answer_names(PUBLIC)
    _coturn(topology.WITNESS, SECOND)
    _coturn(PUBLIC["stun.l.google.com"], port=19302, label="turnserver-google", udp_only=True)
    return carrier


@scenario(200)
def diagnose_without_a_configuration():
    """no file at all: the one uplink with a default route, public STUN servers, lifetimes and behaviour by RFC 5780"""
    carrier = _public()
    carrier.address_restricted()
    found = _diagnose(None, 0)
    expect(list(found) == ["eth2"], f"uplinks: {list(found)}")
    _is(found["eth2"], verdict="healthy", gateway=topology.CARRIER, scope="unknown", advice=None,
        nat={"mapping": EIM, "filtering": "address_dependent", "carrier_grade": "yes"})
    _is(found["eth2"]["lifetimes"]["stream"] | {"name": "eth2"}, lower_seconds=15, upper_seconds=None)
    expect(found["eth2"]["mapped_endpoint"].startswith(topology.POOL + ":"), found["eth2"]["mapped_endpoint"])
    expect([p["reflector"] for p in found["eth2"]["paths"]] == ["google", "cloudflare", "nextcloud"], f"{found['eth2']['paths']}")


@scenario(200)
def diagnose_without_a_configuration_in_words():
    """the same where the carrier forgets a stream after 6 s: short_mapping, and honestly no word of whose NAT it is"""
    carrier = _public()
    carrier.short_timers(3, 6)
    text = _report(None, 1, within=CONFIRMED)
    for words in (f"eth2 (eth2 via {topology.CARRIER}): short_mapping", "  whose fault unknown",
                  "  silence     5 s survived, 10 s not (stream)", f"  seen as     {topology.POOL}:",
                  "  NAT         mapping endpoint independent, filtering address and port dependent, carrier-grade yes",
                  "  what to do  Set the keepalive that the reason names"):
        expect(words in text, f"{words!r} is not printed")


@scenario(200)
def diagnose_without_a_configuration_one_way():
    """the same where no UDP comes back: no_return, because a STUN server cannot say which way it died, and what would help"""
    carrier = _public()
    carrier.no_return()
    found = _diagnose(None, 3)
    _is(found["eth2"], verdict="no_return", mapped_endpoint=None, lifetimes={})
    expect("uplink_reflector" in found["eth2"]["advice"], found["eth2"]["advice"])


@scenario(200)
def diagnose_local_fault():
    """strict reverse path filtering on the gateway: exit code 3, local_fault with the command, nobody else blamed"""
    home = Home()
    local_scenarios.asymmetric_routes()
    local_scenarios.rp_filter(1)
    found = _diagnose(home, 3)
    _is(found[MANSION], verdict="local_fault", scope="gateway")
    expect("rp_filter=2" in found[MANSION]["why"], found[MANSION]["why"])


@scenario(100)
def diagnose_interrupted():
    """Ctrl-C: the report of what is known, exit code 130, and the rules it had added are gone"""
    home = Home()
    before = _tables()
    process = _start(home)
    world.wait_until(lambda: _tables() != before, 30, "the rule for probes of the uplink without a default route")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    expect(process.returncode == 130, f"exit code {process.returncode}")
    expect(MANSION in out and FIVE_G in out, f"no report: {out!r}")
    expect(_tables() == before, "its rules are still there")
