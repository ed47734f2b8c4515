"""Our own programs in the lab: reflectors in the cloud, the agent on the gateway, and a watch over its verdicts."""
import json
import os
import secrets
import threading

from . import detection, nat, netns, registry, topology, world

MANSION, FIVE_G = "mansion", "five_g"
UPLINKS = (
    {"name": MANSION, "interface": "eth2"},
    {"name": FIVE_G, "interface": "eth1", "gateway": topology.ROUTER_5G},
)
KEY_FILE = "/run/lab/gateway.key"
PORT, HIGH_PORT = 862, 40862  # where reflectors listen
STUN_PORT = 3478


def program(name):
    """Path of one of our programs."""
    path = os.path.join(os.environ["UPLINK_BIN"], name)
    if not os.access(path, os.X_OK):
        raise netns.LabError(f"{path} is not built: cmake --build build")
    return path


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    return path


def write_key():
    """A key file that both sides share: one gateway, random identifiers and secret."""
    return write(KEY_FILE, f"gateway {secrets.token_hex(4)} {secrets.token_hex(8)} {secrets.token_hex(32)}\n")


def start_reflector(name="cloud", label=None, **settings):
    """A reflector in namespace `name` on port 862 and a high port, IPv4 and IPv6. JSON is YAML, too."""
    config = {"listen": [f"0.0.0.0:{PORT}", f"[::]:{PORT}", f"0.0.0.0:{HIGH_PORT}", f"[::]:{HIGH_PORT}"],
              "key_file": KEY_FILE, **settings}
    path = write(f"/run/lab/reflector-{name}.yml", json.dumps(config))
    process = world.Process(name, label or f"reflector-{name}",
                            [program("uplink_reflector"), "--config.file", path])
    world.wait_until(lambda: answers(name, 10178) or process.must_live(), 15, f"the reflector in {name}")
    return process


def answers(name, port, path="/-/healthy"):
    """Whether a page of ours is served in namespace `name`."""
    try:
        return world.fetch(name, port, path)[0] == 200
    except OSError:
        return False


def page_says(what, beginning):
    """Whether the agent's page has this fact of an uplink, with a value that begins so."""
    return f"<dt>{what}</dt><dd>{beginning}" in world.fetch("gw", 10177, "/")[1]


def start_witness(*addresses, port=STUN_PORT, label="turnserver", udp_only=False):
    """A STUN server that owns nothing of ours: coturn's."""
    if netns.missing_tools("turnserver"):
        raise registry.Skip("turnserver (Debian package coturn) is not installed")
    process = world.Process("witness", label, [
        "turnserver", "--stun-only", "--no-cli", "--no-tls", "--no-dtls", f"--listening-port={port}",
        *(["--no-tcp"] if udp_only else []),
        *(f"--listening-ip={address}" for address in addresses or (topology.WITNESS,)),
        "--log-file=stdout", f"--pidfile=/run/lab/{label}.pid", "-n"])
    return process


class Verdicts:
    """Samples /metrics of the agent every half second and keeps every verdict, and every scope, it ever showed."""

    def __init__(self):
        self.samples = []  # (monotonic seconds, {uplink: verdict})
        self.scopes = {}  # uplink -> all that were told
        self.newest = None
        self._changed = threading.Condition()
        self._thread = world.Periodic(0.5, self._sample)

    def _sample(self):
        try:
            metrics = world.scrape("gw")
        except OSError:  # not up yet, or being stopped by the scenario
            return
        names = sorted({labels["uplink"] for labels, _ in metrics.all("uplink_verdict")})
        verdicts = {name: metrics.state("uplink_verdict", of="verdict", uplink=name) for name in names}
        for name in names:
            told = metrics.state("uplink_fault_scope", of="scope", uplink=name)
            self.scopes.setdefault(name, set()).add(told)
        with self._changed:
            self.newest = metrics
            self.samples.append((world.now(), verdicts))
            self._changed.notify_all()

    def wait(self, uplink, verdict, timeout, since=None):
        """Seconds from `since` (default: now) until the first sample with this verdict."""
        since = world.now() if since is None else since
        with self._changed:
            while True:
                for at, verdicts in self.samples:
                    if at >= since and verdicts.get(uplink) == verdict:
                        return at - since
                left = since + timeout - world.now()
                if left <= 0 or self._thread.error:
                    raise self._thread.error or AssertionError(
                        f"{uplink} was not {verdict} within {timeout:g} s: {self.history(uplink, since)}")
                self._changed.wait(min(left, 1))

    def history(self, uplink, since=0):
        """The uplink's verdicts in order, repetitions left out, with seconds after `since`."""
        told, last = [], None
        for at, verdicts in self.samples:
            if at >= since and verdicts.get(uplink) != last:
                last = verdicts.get(uplink)
                told.append(f"{last}@{at - since:.1f}")
        return " ".join(told)

    def only(self, uplink, *allowed, since=0):
        """Fails where the uplink showed any other verdict in a sample taken since."""
        for at, verdicts in self.samples:
            if at >= since and verdicts.get(uplink) not in allowed:
                raise AssertionError(f"{uplink} may only be {', '.join(allowed)}, was: {self.history(uplink, since)}")

    def stop(self):
        self._thread.stop()


class Home:
    """The whole lab with both NATs, one reflector in the cloud and the agent on the gateway."""

    def __init__(self, reflector=True, **config):
        program("uplink_exporter")
        topology.build()
        self.carrier, self.router = nat.carrier(), nat.router_5g()
        write_key()
        self.reflector = start_reflector() if reflector else None
        self.config = {"uplinks": list(UPLINKS), "witnesses": [],
                       "reflectors": [reflector_entry("cloud", topology.CLOUD)], **config}
        self.agent = self.verdicts = self.started = None
        self.faults = []

    def start_agent(self):
        path = write("/run/lab/agent.yml", json.dumps(self.config, indent=1))
        self.started = world.now()
        self.agent = world.Process("gw", "agent", [program("uplink_exporter"), "--config.file", path])
        # Its pages are served a moment before there is anything to show on them.
        world.wait_until(lambda: answers("gw", 10177, "/-/ready") or self.agent.must_live(), 15, "the agent's page")
        self.verdicts = Verdicts()
        return self

    def healthy(self, timeout=60):
        """Starts the agent and waits until both uplinks are healthy; returns the verdicts' watch."""
        self.start_agent()
        for name in (MANSION, FIVE_G):
            self.verdicts.wait(name, "healthy", timeout, since=self.started)
        return self.verdicts

    def fault(self, switch, verdicts, uplink=MANSION, age=0, lifetime=None):
        """Switches a fault on, and returns when; done() notes how long it took the agent to tell. See detection.Fault."""
        fault = detection.Fault(self.carrier, PORT, verdicts, uplink, age, lifetime)
        if self.faults:
            self.faults[-1].until = fault.since
        self.faults.append(fault)
        switch()
        return self.faults[-1].since

    def steady_port(self):
        """Inner port of the agent's steady flow through the carrier."""
        return self.carrier.steady_port(PORT)

    def counters(self, metric, uplink=MANSION, **labels):
        """Sum of a counter over an uplink's flows, from a scrape taken now."""
        return world.scrape("gw").sum(metric, uplink=uplink, **labels)

    def done(self):
        """The last look: no sample failed, and the agent has lived through it all."""
        self.verdicts.stop()
        self.agent.must_live()
        for fault in self.faults:
            fault.note(self.config.get("probe", {}), self.started, self.agent.output())
        for uplink in self.verdicts.samples[-1][1]:
            print(f"{uplink}: {self.verdicts.history(uplink, self.started)}")


def reflector_entry(name, address, port=PORT, **more):
    """One entry of `reflectors:`."""
    return {"name": name, "address": f"{address}:{port}", "key_file": KEY_FILE, **more}
