#!/usr/bin/python3
"""A gateway that begins 100,000 UDP flows a second: does the agent see every one, and what does that cost?

usage: conntrack_flows.py [--bin DIRECTORY] [--rate N] [--seconds N]
Everything happens in a network namespace of its own. The last line is `N passed, N failed`.
"""
import argparse
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, netns, world  # noqa: E402

TIMEOUT = 5  # seconds, of UDP without an answer: so long every flow is followed


def build():
    """A line into nowhere; flows are tracked because a rule asks for their state."""
    netns.ip(None, "netns add gw", "netns add far", "link add eth2 netns gw type veth peer name eth2 netns far")
    netns.ip("far", "link set eth2 up")  # it has no address, and drops what comes
    netns.ip("gw", "link set lo up", "addr add 123.45.0.2/21 dev eth2", "link set eth2 up",
             "route add default via 123.45.0.1 dev eth2", "neigh add 123.45.0.1 lladdr 02:00:00:00:00:01 dev eth2 nud permanent")
    netns.run("gw", "nft", "-f", "-", stdin="table ip track { chain sent { type filter hook output priority filter; ct state new counter; }; }")
    netns.sysctl("gw", net__netfilter__nf_conntrack_udp_timeout=TIMEOUT)


def flows(kind=""):
    return world.scrape("gw").value(f"uplink_conntrack_udp_{kind}flows_total", uplink="mansion") or 0


def inside(rate, seconds):
    netns.enter()
    results = []

    def bar(holds, text):
        results.append(bool(holds))
        print(("ok   " if holds else "FAIL ") + text, flush=True)

    build()
    path = agent.write("/run/lab/bench.yml", json.dumps({"uplinks": [{"name": "mansion", "interface": "eth2"}], "witnesses": [], "reflectors": []}))
    # One core for what is measured, and, where there is another, that one for the flows.
    cores = sorted(os.sched_getaffinity(0))
    process = world.Process("gw", "bench-agent", ["taskset", "-c", str(cores[0]), agent.program("uplink_exporter"), "--config.file", path])
    world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or process.must_live(), 30, "the agent being ready")
    world.wait_until(lambda: world.scrape("gw").value("uplink_exporter_collector_up", collector="conntrack") == 1, 15, "the tracker being watched")
    calm, before = process.resident(), process.cpu()
    began = time.monotonic()
    sent, _, _, took, _ = netns.run("gw", "taskset", "-c", str(cores[-1]), agent.program("bench_flows"), str(rate), str(seconds)).split()
    sent, took = int(sent), float(took)
    world.wait_until(lambda: flows() + world.scrape("gw").value("uplink_conntrack_events_lost_total") >= sent, 30, "the last of the flows", every=0.1)
    cpu, elapsed = process.cpu() - before, time.monotonic() - began
    grown = (process.resident() - calm) / 2**20
    lost = world.scrape("gw").value("uplink_conntrack_events_lost_total")
    print(f"{sent} flows begun in {took:.2f} s: {sent / took:.0f} a second", flush=True)
    if sent / took < 0.95 * rate:
        print(f"this kernel begins {sent / took / rate:.0%} of {rate} a second; the rest is for the reader alone, below", flush=True)
    bar(cpu < elapsed, f"CPU: {cpu / elapsed:.0%} of one core, {cpu / sent * 1e6:.1f} us a flow; bar one core")
    bar(flows() + lost == sent, f"{flows():.0f} flows counted and {lost:.0f} events counted as lost, of {sent}: none is missing")
    bar(lost == 0, f"{lost:.0f} events lost; bar 0")
    world.wait_until(lambda: flows("unreplied_") + flows("unfollowed_") >= flows(), TIMEOUT + 15, "the flows' time-out", every=0.5)
    bar(flows("unreplied_") + flows("unfollowed_") == flows(),
        f"of them {flows('unreplied_'):.0f} without an answer and {flows('unfollowed_'):.0f} unfollowed: the sum is that of the flows")
    print(f"memory: {grown:+.0f} MiB while they are followed", flush=True)
    process.must_live()
    process.stop()
    told = netns.run(None, "taskset", "-c", str(cores[0]), agent.program("bench_flow_events"), str(rate * seconds)).strip()
    bar(float(told.split()[-3]) >= rate, f"the agent's reader and ledger alone: {told}; bar {rate}")
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "..", "build", "bin"))
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(arguments.bin)
    if os.environ.get(netns.INSIDE) == "1":
        return inside(arguments.rate, arguments.seconds)
    return netns.rerun(os.path.abspath(__file__), "--bin", os.environ["UPLINK_BIN"], "--rate", str(arguments.rate), "--seconds", str(arguments.seconds))


if __name__ == "__main__":
    sys.exit(main())
