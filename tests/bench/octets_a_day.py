#!/usr/bin/python3
"""What the agent sends and receives through an uplink in a day, by profile, measured in the lab against the budget.

usage: octets_a_day.py [--bin DIRECTORY] [PROFILE...]
Counts octets of IPv4 in both directions at each uplink of the gateway, where nothing but the agent speaks: probes, holds,
size checks, traces, questions over TCP, and routers' ICMP errors. Begins when the first full set of holds is over, and
ends with a routine check of lifetimes, so that a whole number of them is in it: two for `default`, from the end of one
before them on, eleven minutes; one for `metered`, an hour. A day is that, scaled, and what the first full set cost on
top, once: the three later ones of a day find their brackets sharp already (all four: 0.30 MB in the simulation). Beside
it stands what the interface itself counted, with Ethernet headers, ARP and IPv6 neighbours. The last line is `N passed, N failed`. Needs root.
"""
import argparse
import concurrent.futures
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, netns, run, world  # noqa: E402

DAY = 86400
BUDGET = {"default": 40e6, "metered": 4e6}  # octets a day, per uplink and reflector
INTERVAL = {"default": 300, "metered": 3600}  # s between routine checks of lifetimes
CHECKS = {"default": 2, "metered": 1}  # of them in the window
LONGEST = {"default": 3000, "metered": 6000}  # s
TIMERS = (3, 12)  # s: Linux' own scaled by ten, or the first full set alone would take half an hour
LAST = "active"  # the pattern that a full set of holds ends with
DEVICES = {agent.MANSION: "eth2", agent.FIVE_G: "eth1"}


def count():
    """Counters of the gateway: every IPv4 packet that arrives on or leaves through an uplink."""
    counters = "".join(f"  counter {d}_in {{}}\n  counter {d}_out {{}}\n" for d in DEVICES.values())
    arriving = "".join(f"    iifname {d} counter name {d}_in\n" for d in DEVICES.values())
    leaving = "".join(f"    oifname {d} counter name {d}_out\n" for d in DEVICES.values())
    netns.run("gw", "nft", "-f", "-", stdin=f"""
table ip octets {{
{counters}
  chain arriving {{ type filter hook prerouting priority -400;
{arriving}  }}
  chain leaving {{ type filter hook postrouting priority 400;
{leaving}  }}
}}
""")


def octets():
    """{uplink: (octets of IPv4, octets by the interface's own counters)}, both directions together."""
    found = {}
    for item in json.loads(netns.run("gw", "nft", "-j", "list", "counters", "table", "ip", "octets"))["nftables"]:
        if "counter" in item:
            found[item["counter"]["name"]] = item["counter"]["bytes"]
    links = {link["ifname"]: link["stats64"] for link in json.loads(netns.run(None, "ip", "-n", "gw", "-s", "-j", "link"))}
    return {uplink: (found[f"{d}_in"] + found[f"{d}_out"], links[d]["rx"]["bytes"] + links[d]["tx"]["bytes"])
            for uplink, d in DEVICES.items()}


class Uplink:
    """Follows one uplink from sample to sample: start-up, then whole intervals of routine checks."""

    def __init__(self, name, profile):
        self.name, self.checks, self.interval = name, CHECKS[profile], INTERVAL[profile]
        self.holds, self.changed, self.checked = 0, time.monotonic(), 0
        self.settled = self.begin = self.end = None

    def look(self, now, page, counted):
        if self.end:
            return
        holds = page.sum("uplink_udp_hold_probes_total", uplink=self.name)
        told, self.holds = holds != self.holds, holds
        quiet, self.changed = now - self.changed, now if told else self.changed
        if self.settled is None:
            if page.sum("uplink_udp_hold_probes_total", uplink=self.name, pattern=LAST):
                self.settled = (now, counted)
                # Where checks are an hour apart, what is between this and the first is part of an hour already.
                self.begin = self.settled if self.interval >= 3600 else None
        # Outcomes of a batch are told at its end, all at once.
        elif told and quiet > 0.8 * self.interval:
            if self.begin is None:
                self.begin = (now, counted)
                return
            self.checked += 1
            if self.checked == self.checks:
                self.end = (now, counted)


def inside(profile):
    netns.enter()
    home = agent.Home(probe={"profile": profile})
    for box in (home.carrier, home.router):
        box.short_timers(*TIMERS)
    count()
    began, at_start = time.monotonic(), octets()
    home.healthy()
    uplinks = [Uplink(name, profile) for name in DEVICES]

    def look():
        page, counted, now = world.scrape("gw"), octets(), time.monotonic()
        for u in uplinks:
            u.look(now, page, counted[u.name])
        return all(u.end for u in uplinks)
    world.wait_until(look, LONGEST[profile], "a whole number of routine checks", every=3)
    failed = 0
    for u in uplinks:
        seconds = u.end[0] - u.begin[0]
        ip, raw = ((u.end[1][i] - u.begin[1][i]) / seconds for i in (0, 1))
        first = u.settled[1][0] - at_start[u.name][0] - ip * (u.settled[0] - began)
        a_day = ip * DAY + max(first, 0)
        good = a_day <= BUDGET[profile]
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {profile} {u.name}: {a_day / 1e6:.2f} MB a day of {BUDGET[profile] / 1e6:g}: "
              f"{ip * DAY / 1e6:.2f} MB by {seconds:.0f} s with {u.checks} checks ({ip:.1f} octets a second), and a first full set "
              f"of {first / 1e3:.0f} kB; the interface's own counters: {raw * DAY / 1e6:.2f} MB")
    home.verdicts.only(agent.MANSION, "unknown", "healthy", "short_mapping")
    home.done()
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("profiles", nargs="*", metavar="PROFILE", help="default, metered (both, side by side)")
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "..", "build", "bin"))
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if options.inside:
        return inside(options.inside)
    unknown = set(options.profiles) - set(BUDGET)
    if unknown:
        parser.error(f"no such profile: {', '.join(sorted(unknown))}")
    profiles = options.profiles or list(BUDGET)
    lines = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
        playing = [pool.submit(run.outside, p, options.bin, __file__, LONGEST[p] + 120) for p in profiles]
        for profile, future in zip(profiles, playing):
            status, _, output = future.result()
            found = [line for line in output.splitlines() if line.startswith(("ok   ", "FAIL "))]
            told = found if len(found) == len(DEVICES) else [f"FAIL {profile} (status {status}):\n{output}"]
            print("\n".join(told), flush=True)
            lines += told
    failed = sum(line.startswith("FAIL") for line in lines)
    print(f"{len(lines) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
