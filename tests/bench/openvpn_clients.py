#!/usr/bin/python3
"""An OpenVPN server with 10,000 clients under the agent: what reading its status and a scrape cost.

usage: openvpn_clients.py [--bin DIRECTORY] [--clients N]
Everything happens in network namespaces of its own. The last line is `N passed, N failed`.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, netns, world  # noqa: E402

STATUS = "/run/lab/server.status"
ROUNDS = 20
COLUMNS = ("Common Name,Real Address,Virtual Address,Virtual IPv6 Address,Bytes Received,Bytes Sent,Connected Since,"
           "Connected Since (time_t),Username,Client ID,Peer ID,Data Channel Cipher").split(",")


def write_status(clients, turn):
    """As the daemon does: in place, every counter a little higher each time."""
    now = int(time.time())
    rows = ["TITLE\tOpenVPN 2.6.14", f"TIME\tx\t{now}", "\t".join(["HEADER", "CLIENT_LIST", *COLUMNS])]
    for n in range(clients):
        address = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}:{1024 + n}"
        rows.append("\t".join(["CLIENT_LIST", f"client-{n:05}.example", address, "10.8.0.2", "", str(1000 * turn + n),
                               str(2000 * turn + n), "2026-11-24 09:00:00", str(now - 5000), "UNDEF", str(n), str(n),
                               "AES-256-GCM"]))
    with open(STATUS, "w") as file:
        file.write("\n".join([*rows, "END", ""]))


class Agent:
    """uplink_exporter with one tunnel, and what its page says."""

    def __init__(self, series):
        config = {"uplinks": [{"name": "mansion", "interface": "eth2"}], "reflectors": [], "witnesses": [],
                  "openvpn": [{"name": "server", "status": STATUS, "clients": {"series": series}}]}
        path = agent.write("/run/lab/bench.yml", json.dumps(config))
        self.process = world.Process("gw", "bench-agent", [agent.program("uplink_exporter"), "--config.file", path])
        world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or self.process.must_live(), 60, "the agent being ready", every=0.02)

    def received(self):
        return world.scrape("gw").value("openvpn_received_bytes_total", tunnel="server") or 0


def scrape():
    """Seconds that one scrape took, and its size."""
    began = time.monotonic()
    page = world.fetch("gw", 10177, "/metrics", timeout=10)
    return time.monotonic() - began, len(page[1])


def measure(clients, series):
    """CPU of one reading, wall time of one scrape, and memory beyond an agent whose server has one client."""
    write_status(1, 0)
    idle = Agent(series)
    time.sleep(3)
    scrape()
    small = idle.process.resident()
    idle.process.stop()
    write_status(clients, 0)
    ours = Agent(series)
    world.wait_until(lambda: world.scrape("gw").value("openvpn_server_connected_clients", tunnel="server") == clients,
                     30, "the clients")
    readings, scrapes = [], []
    for turn in range(1, ROUNDS + 1):
        time.sleep(1)  # one reading a second at most
        before = ours.process.cpu()
        began = time.monotonic()
        while time.monotonic() - began < 1.5:  # idle turns of the loop, to be taken off
            time.sleep(0.1)
        idle_rate = (ours.process.cpu() - before) / 1.5
        before = ours.process.cpu()
        began = time.monotonic()
        write_status(clients, turn)
        time.sleep(1.5)
        readings.append(max(0.0, ours.process.cpu() - before - idle_rate * (time.monotonic() - began)))
        took, size = scrape()
        scrapes.append(took)
    world.wait_until(lambda: ours.received() == 1000 * ROUNDS * clients, 30, "every octet")
    extra = ours.process.resident() - small
    ours.process.stop()
    reading, wall = statistics.mean(readings), statistics.median(scrapes)
    print(f"{clients} clients, series for {series}: reading {reading * 1000:.1f} ms of CPU, scrape {wall * 1000:.1f} ms "
          f"({size / 1024:.0f} KiB), memory {extra / 2**20:+.1f} MiB")
    return reading, wall, extra


def inside(clients):
    from lab import topology
    topology.build()
    results = []

    def check(holds, text):
        results.append(holds)
        print(("ok   " if holds else "FAIL ") + text)

    reading, wall, extra = measure(clients, 200)
    check(reading + wall < 0.1, f"status and scrape together {1000 * (reading + wall):.1f} ms, at most 100")
    check(extra <= 30 * 2**20, f"{extra / 2**20:.1f} MiB above one client, at most 30")
    measure(clients, 1000)  # for orientation: as many as can be configured
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if options.inside:
        netns.enter()
        return inside(options.clients)
    command = netns.unshare_command(sys.executable, os.path.abspath(__file__), "--inside", "--bin",
                                    os.path.abspath(options.bin), "--clients", str(options.clients))
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
