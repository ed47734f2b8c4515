#!/usr/bin/python3
"""A full Internet table under the agent: what it costs, and whether a watched change is still seen at once.

usage: route_table.py [--bin DIRECTORY] [--routes N]
Everything happens in network namespaces of its own. The last line is `N passed, N failed`.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, netns, world  # noqa: E402

WATCHED = "111.222.33.44"
HOST_ROUTE = f"{WATCHED}/32 via 192.168.0.1 dev eth1"
FLAPS_A_SECOND, FLAPPING = 10_000, 10


def network(number):
    """The number-th /24 of 1.0.0.0 to 65.x.x.x: none covers what is watched."""
    return f"{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}.0/24"


class Agent:
    """One run of uplink_exporter in namespace gw, and what its page says."""

    def __init__(self):
        config = {"uplinks": [{"name": "mansion", "interface": "eth2"},
                              {"name": "five_g", "interface": "eth1", "gateway": "192.168.0.1"}],
                  "reflectors": [], "witnesses": [], "reflectors": [], "routes": [{"destination": WATCHED, "uplink": "five_g"}]}
        path = agent.write("/run/lab/bench.yml", json.dumps(config))
        began = time.monotonic()
        self.process = world.Process("gw", "bench-agent", [agent.program("uplink_exporter"), "--config.file", path])
        world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or self.process.must_live(), 60, "the agent being ready", every=0.02)
        self.ready_after = time.monotonic() - began
        time.sleep(3)  # past the first publications: what stays is wanted

    def match(self):
        return world.scrape("gw").value("uplink_route_match", destination=WATCHED)


class Flapping(threading.Thread):
    """Adds and removes routes that nobody watches, evenly over each tenth of a second."""

    def __init__(self, first):
        super().__init__()
        self.first, self.done, self.elapsed, self.status = first, 0, 0.0, None

    def run(self):
        batch = FLAPS_A_SECOND // 10
        with subprocess.Popen(["ip", "-n", "gw", "-batch", "-"], stdin=subprocess.PIPE, text=True) as ip:
            began = time.monotonic()
            for turn in range(FLAPPING * 10):
                word = ("add", "del")[turn % 2]
                ip.stdin.write("".join(f"route {word} {network(self.first + i)} via 123.45.0.1\n" for i in range(batch)))
                ip.stdin.flush()
                self.done += batch
                time.sleep(max(0.0, began + (turn + 1) / 10 - time.monotonic()))
            ip.stdin.close()
            self.status = ip.wait()
            self.elapsed = time.monotonic() - began


def delay(subject, command, expected):
    """Seconds from a command's end until a scrape shows what it did."""
    netns.ip("gw", command)
    began = time.monotonic()
    world.wait_until(lambda: subject.match() == expected, 10, f"the match {expected} after {command}", every=0.002)
    return time.monotonic() - began


def delays(subject, rounds=10):
    seen = []
    for _ in range(rounds):
        for command, expected in ((f"route add {HOST_ROUTE}", 1), (f"route del {HOST_ROUTE}", 0)):
            time.sleep(0.4)  # four publications a second at most are the agent's own limit
            seen.append(delay(subject, command, expected))
    return seen


def build():
    netns.ip(None, "netns add gw", "netns add far")
    for interface, ours, theirs in (("eth1", "192.168.0.2/24", "192.168.0.1/24"), ("eth2", "123.45.0.2/21", "123.45.0.1/21")):
        netns.ip(None, f"link add {interface} netns gw type veth peer name {interface} netns far")
        netns.ip("gw", f"addr add {ours} dev {interface}", f"link set {interface} up")
        netns.ip("far", f"addr add {theirs} dev {interface}", f"link set {interface} up")
    netns.ip("gw", "link set lo up", "route add default via 123.45.0.1 dev eth2")


def load(count):
    path = "/run/lab/table"
    with open(path, "w") as file:
        file.writelines(f"route add {network(i)} via 123.45.0.1\n" for i in range(count))
    netns.run(None, "ip", "-n", "gw", "-batch", path)
    os.remove(path)


def inside(routes):
    netns.enter()
    results = []

    def bar(holds, text):
        results.append(bool(holds))
        print(("ok   " if holds else "FAIL ") + text, flush=True)

    build()
    small = Agent()
    small_resident, small_ready = small.process.resident(), small.ready_after
    small.process.stop()
    load(routes)
    print(f"{routes} routes are loaded", flush=True)
    full = Agent()
    grown = (full.process.resident() - small_resident) / 2**20
    bar(full.ready_after < 10, f"start-up: ready after {full.ready_after:.2f} s, {small_ready:.2f} s with a small table; bar 10 s")
    bar(grown <= 16, f"memory: {grown:+.1f} MiB beside {small_resident / 2**20:.1f} MiB with a small table; bar 16 MiB")
    calm = delays(full)
    bar(max(calm) < 0.1, f"a watched change is seen within {max(calm) * 1000:.0f} ms (median {statistics.median(calm) * 1000:.0f} ms); bar 100 ms")
    before, began = full.process.cpu(), time.monotonic()
    time.sleep(5)
    idle = (full.process.cpu() - before) / (time.monotonic() - began)
    flapping = Flapping(routes)
    before, began = full.process.cpu(), time.monotonic()
    flapping.start()
    flapping.join()
    busy = (full.process.cpu() - before) / (time.monotonic() - began)
    rate = flapping.done / flapping.elapsed
    bar(rate > 0.8 * FLAPS_A_SECOND and flapping.status == 0, f"{rate:.0f} unrelated routes a second flapped for {flapping.elapsed:.0f} s")
    bar(busy - idle < 0.02, f"CPU: {busy * 100:.2f} % of a core while they flap, {idle * 100:.2f} % without; bar 2 % more")
    flapping = Flapping(routes)
    flapping.start()
    stormy = delays(full, 5)
    flapping.join()
    bar(flapping.status == 0, f"every route of the flapping was taken: `ip -batch` ended with {flapping.status}")
    bar(max(stormy) < 0.1, f"... and within {max(stormy) * 1000:.0f} ms while they flap; bar 100 ms")
    lost = world.scrape("gw").value("uplink_netlink_overruns_total")
    bar(lost == 0, f"{lost:.0f} overruns")
    full.process.must_live()
    full.process.stop()
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "..", "build", "bin"))
    parser.add_argument("--routes", type=int, default=1_000_000)
    arguments = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(arguments.bin)
    if os.environ.get(netns.INSIDE) == "1":
        return inside(arguments.routes)
    return netns.rerun(os.path.abspath(__file__), "--bin", os.environ["UPLINK_BIN"], "--routes", str(arguments.routes))


if __name__ == "__main__":
    sys.exit(main())
