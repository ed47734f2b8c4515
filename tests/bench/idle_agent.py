#!/usr/bin/python3
"""What the agent costs a gateway on which nothing happens: two uplinks, one reflector, one real OpenVPN tunnel, a scrape
every 15 s. Beside it run Debian's smokeping prober and blackbox exporter with what they can do of the same work.

usage: idle_agent.py [--bin DIRECTORY] [--seconds N] [--whole] [--keep FILE]
Measured is from when both uplinks' lifetimes are known and every web thread has served; with --whole from when every
pattern of the first ladder is known, a quarter of an hour later. Memory is what the kernel counts as resident, shared
pages of libraries included. Everything happens in network namespaces of its own. The last line is `N passed, N failed`.
"""
import argparse
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, netns, openvpn, topology, world  # noqa: E402

MIB = 2**20
MOST_RESIDENT, MOST_CPU = 12 * MIB, 0.003
SCRAPE = 15  # s
SMOKEPING, BLACKBOX = "prometheus-smokeping-prober", "prometheus-blackbox-exporter"
SMOKEPING_PORT, BLACKBOX_PORT = 9374, 9115
PATTERNS = 5
SERVED = 200  # scrapes before anything is measured: more than there are web threads


class Subject:
    """A program that runs, and what it has used since measure() began."""

    def __init__(self, name, process, pages):
        self.name, self.process, self.pages = name, process, pages
        self.before = 0.0

    def memory(self):
        """smaps_rollup in octets."""
        with open(f"/proc/{self.process.popen.pid}/smaps_rollup") as file:
            lines = [line.split() for line in file if line.endswith("kB\n")]
        return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}

    def status(self, key):
        with open(f"/proc/{self.process.popen.pid}/status") as file:
            return int(next(line.split()[1] for line in file if line.startswith(key + ":")))

    def wakeups(self):
        """Voluntary context switches of all its threads."""
        tasks = f"/proc/{self.process.popen.pid}/task"
        total = 0
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/status") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        return total

    def scrape(self):
        for port, path in self.pages:
            status, text = world.fetch("gw", port, path, timeout=10)
            if status != 200 or "probe_success 0" in text:
                raise netns.LabError(f"{self.name}: {path} answered {status}: {text[-500:]}")


def start_smokeping():
    """Two targets: it pings an address, through whatever uplink that is routed to."""
    path = agent.write("/run/lab/smokeping.yml", "targets: []\n")
    process = world.Process("gw", "smokeping", [SMOKEPING, "--config.file", path, f"--web.listen-address=127.0.0.1:{SMOKEPING_PORT}",
                                                "--privileged", topology.CLOUD, topology.CLOUD2])
    return Subject(SMOKEPING, process, [(SMOKEPING_PORT, "/metrics")])


def start_blackbox():
    modules = {"modules": {"icmp": {"prober": "icmp", "icmp": {"preferred_ip_protocol": "ip4"}},
                           "tcp": {"prober": "tcp", "tcp": {"preferred_ip_protocol": "ip4"}}}}
    path = agent.write("/run/lab/blackbox.yml", json.dumps(modules))
    process = world.Process("gw", "blackbox", [BLACKBOX, "--config.file", path, f"--web.listen-address=127.0.0.1:{BLACKBOX_PORT}"])
    pages = [(BLACKBOX_PORT, "/metrics")]
    for target in (topology.CLOUD, topology.CLOUD2):
        pages += [(BLACKBOX_PORT, f"/probe?module=icmp&target={target}"), (BLACKBOX_PORT, f"/probe?module=tcp&target={target}:{agent.PORT}")]
    return Subject(BLACKBOX, process, pages)


def ladder_known(patterns):
    metrics = world.scrape("gw")
    return all(len(metrics.all("uplink_udp_mapping_lifetime_seconds", uplink=uplink, bound="lower")) >= patterns
               for uplink in (agent.MANSION, agent.FIVE_G))


def measure(subjects, seconds):
    """Scrapes everybody every 15 s for so long; the scrapes belong to what is measured."""
    for subject in subjects:
        subject.before, subject.woken = subject.process.cpu(), subject.wakeups()
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for subject in subjects:
            subject.scrape()
        time.sleep(SCRAPE - (time.monotonic() - began) % SCRAPE)
    elapsed = time.monotonic() - began
    rows = []
    for subject in subjects:
        subject.process.must_live()
        memory = subject.memory()
        rows.append({"name": subject.name, "rss": memory["Rss"], "anon": memory["Anonymous"], "pss": memory["Pss"],
                     "file": memory["Rss"] - memory["Anonymous"], "threads": subject.status("Threads"),
                     "cpu": (subject.process.cpu() - subject.before) / elapsed,
                     "wakeups": (subject.wakeups() - subject.woken) / elapsed})
    return rows


def inside(seconds, whole, keep):
    netns.enter()
    rivals = not netns.missing_tools(SMOKEPING, BLACKBOX)
    home = agent.Home(openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG, "status": openvpn.CLIENT_STATUS, "reflector": "cloud"}],
                      routes=[{"destination": topology.CLOUD, "uplink": agent.MANSION}])
    if rivals:
        agent.start_reflector("cloud2")
    openvpn.make_certificates()
    openvpn.start_server(ping=10, restart=60)
    openvpn.start_client(f"status {openvpn.CLIENT_STATUS} 10\n")
    began = time.monotonic()
    path = agent.write("/run/lab/agent.yml", json.dumps(home.config))
    process = world.Process("gw", "agent", [agent.program("uplink_exporter"), "--config.file", path])
    world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or process.must_live(), 15, "the agent's page")
    world.wait_until(lambda: world.scrape("gw").value("openvpn_state", tunnel="cloud", state="connected") == 1, 60, "the tunnel")
    world.wait_until(lambda: ladder_known(PATTERNS if whole else 1), 2400, "the first ladder", every=5)
    for _ in range(SERVED):
        world.scrape("gw")
    world.fetch("gw", 10177, "/")
    print(f"start-up is over after {time.monotonic() - began:.0f} s; measuring for {seconds} s", flush=True)
    subjects = [Subject("uplink_exporter", process, [(10177, "/metrics")])]
    if rivals:
        subjects += [start_smokeping(), start_blackbox()]
        world.wait_until(lambda: all(agent.answers("gw", port, "/metrics") for port in (SMOKEPING_PORT, BLACKBOX_PORT)), 15, "the others")
    rows = measure(subjects, seconds)
    for uplink in (agent.MANSION, agent.FIVE_G):
        world.wait_until(lambda u=uplink: world.scrape("gw").state("uplink_verdict", of="verdict", uplink=u) == "healthy", 1, f"{uplink} being healthy")
    if keep:
        with open(f"/proc/{process.popen.pid}/smaps") as smaps, open(keep, "w") as file:
            file.write(smaps.read())
    return report(rows, rivals)


def report(rows, rivals):
    ours, results = rows[0], []
    print(f"\n{'':28} {'resident':>10} {'anonymous':>10} {'file':>8} {'pss':>8} {'threads':>8} {'CPU':>8} {'wake-ups':>9}")
    for r in rows:
        print(f"{r['name']:28} {r['rss'] / MIB:>6.2f} MiB {r['anon'] / MIB:>10.2f} {r['file'] / MIB:>8.2f} {r['pss'] / MIB:>8.2f} "
              f"{r['threads']:>8} {r['cpu'] * 100:>6.2f} % {r['wakeups']:>7.1f}/s")
    for r in rows[1:]:
        print(f"uplink_exporter / {r['name']}: resident {ours['rss'] / r['rss']:.2f}, anonymous {ours['anon'] / r['anon']:.2f}, "
              f"CPU {ours['cpu'] / max(r['cpu'], 1e-6):.2f}")
    if not rivals:
        print(f"skip  {SMOKEPING} and {BLACKBOX} are not installed: nothing to compare with")

    def bar(holds, text):
        results.append(bool(holds))
        print(("ok   " if holds else "FAIL ") + text)

    bar(ours["rss"] <= MOST_RESIDENT, f"resident {ours['rss'] / MIB:.2f} MiB ({ours['rss'] / 1e6:.2f} MB); bar {MOST_RESIDENT / MIB:.0f} MiB")
    bar(ours["cpu"] <= MOST_CPU, f"CPU {ours['cpu'] * 100:.3f} % of a core; bar {MOST_CPU * 100:.1f} %")
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--whole", action="store_true", help="wait for every pattern of the first ladder")
    parser.add_argument("--keep", default="", help="keep the agent's smaps in this file")
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if os.environ.get(netns.INSIDE) == "1":
        return inside(options.seconds, options.whole, options.keep)
    keep = ["--keep", os.path.abspath(options.keep)] if options.keep else []
    whole = ["--whole"] if options.whole else []
    return netns.rerun(os.path.abspath(__file__), "--bin", os.environ["UPLINK_BIN"], "--seconds", str(options.seconds), *whole, *keep)


if __name__ == "__main__":
    sys.exit(main())
