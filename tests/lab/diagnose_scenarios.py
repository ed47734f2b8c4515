"""`uplinktool diagnose`: the same measurements in one shot, with nothing left behind."""
import json
import signal
import subprocess

from . import agent, local_scenarios, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

SECONDS = 120  # the machine that runs the lab may be slow; what is settled sooner ends sooner


def _tables():
    """Every rule and route of the gateway; those of IPv6 come by themselves as its interfaces settle."""
    return netns.run("gw", "ip", "-4", "rule"), netns.run("gw", "ip", "-4", "route", "show", "table", "all")


def _start(home, *more):
    path = agent.write("/run/lab/diagnose.yml", json.dumps(home.config, indent=1))
    command = [agent.program("uplinktool"), "diagnose", "--config.file", path, "--duration", str(SECONDS), *more]
    return subprocess.Popen(["ip", "netns", "exec", "gw", *command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _diagnose(home, code):
    """The report as a program reads it, uplinks by name, after checks that hold for every one."""
    before = _tables()
    began = world.now()
    process = _start(home, "--json")
    out, progress = process.communicate(timeout=SECONDS + 30)
    print(progress)
    print(f"{world.now() - began:.0f} s\n{out}")
    expect(process.returncode == code, f"exit code {process.returncode} instead of {code}")
    expect(_tables() == before, f"it left rules or routes behind: {_tables()} after {before}")
    expect("\r" not in progress and MANSION in progress, f"no terminal, no redrawing: {progress!r}")
    report = json.loads(out)
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
        _is(found[name]["lifetimes"]["stream"] | {"name": name}, lower_seconds=20, upper_seconds=None)
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


@scenario(200)
def diagnose_short_mapping():
    """the carrier forgets a stream after 6 s: exit code 1, the bracket, whose NAT it is, the keepalive that survives"""
    home = Home()
    home.carrier.short_timers(3, 6)
    found = _diagnose(home, 1)
    _is(found[MANSION], verdict="short_mapping", scope="carrier")
    stream = found[MANSION]["lifetimes"]["stream"]
    expect(stream["lower_seconds"] <= 6.5 and 5.5 <= stream["upper_seconds"] <= 10, f"{stream}")
    expect("keepalive" in found[MANSION]["why"] and "lost at hop 1" in found[MANSION]["why"], found[MANSION]["why"])
    _is(found[FIVE_G], verdict="healthy")


@scenario(200)
def diagnose_stun_only():
    """a STUN server and no reflector: healthy with the mapped address; no lifetimes, because nobody holds a reply"""
    home = Home(reflector=False, reflectors=[
        {"name": "public", "address": f"{topology.WITNESS}:{agent.STUN_PORT}", "protocol": "stun"}])
    process = agent.start_witness()
    world.wait_until(lambda: netns.run("inet", agent.program("lab_stun"), topology.WITNESS, str(agent.STUN_PORT),
                                       check=False) or process.must_live(), 30, "coturn's answer")
    found = _diagnose(home, 0)
    for name in (MANSION, FIVE_G):
        _is(found[name], verdict="healthy", lifetimes={})
    expect(found[MANSION]["mapped_endpoint"].startswith(topology.POOL + ":"), found[MANSION]["mapped_endpoint"])


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
