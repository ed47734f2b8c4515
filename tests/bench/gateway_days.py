#!/usr/bin/python3
"""Gateway-days in virtual time: not one verdict that they do not justify, and what a packet event costs.

usage: gateway_days.py [--bin DIRECTORY] [--days N] [--rounds N]
Plays N days (1,000) with the real prober, size check, hold ladder and judge on one core, and after that a few of them as
often as --rounds says (30). A packet event is a packet that is sent, arrives, or comes back; what it costs is the time of
the processor for all that the days need, divided by their events. Of the rounds the best counts: what others do on
this machine, or on the one below it, only ever makes them dearer. The last line is `N passed, N failed`.
"""
import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MOST = 250  # ns a packet event
SHORT = 20  # days: two seconds, of which some are quiet


def play(program, days):
    """(nanoseconds of processor, packet events, output, whether all of it passed)"""
    before = os.times()
    done = subprocess.run([program, "--gtest_filter=*GatewayDays*"], env=os.environ | {"UPLINK_SIM_DAYS": str(days)},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    after = os.times()
    spent = (after.children_user + after.children_system - before.children_user - before.children_system) * 1e9
    played = [int(n) for n in re.findall(r"(\d+) gateway-days", done.stdout)]
    events = sum(int(n) for n in re.findall(r"(\d+) packet events", done.stdout))
    return spent, events, done.stdout, done.returncode == 0 and sum(played) >= days


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "..", "..", "build", "bin"))
    parser.add_argument("--days", type=int, default=1000)
    parser.add_argument("--rounds", type=int, metavar="N", default=30)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    program = os.path.join(options.bin, "unit_sim")

    spent, events, output, clean = play(program, options.days)
    print(f"{'ok  ' if clean else 'FAIL'} {options.days} gateway-days, {events} packet events: "
          f"{'no verdict is wrong' if clean else output}", flush=True)
    costs = [spent / max(events, 1)]
    for _ in range(options.rounds):
        spent, events, _, _ = play(program, SHORT)
        costs.append(spent / max(events, 1))
    cheap = min(costs) <= MOST
    print(f"{'ok  ' if cheap else 'FAIL'} a packet event costs {min(costs):.0f} ns of {MOST} "
          f"(all days {costs[0]:.0f}; rounds of {SHORT} days from {min(costs[1:]):.0f} to {max(costs[1:]):.0f})")
    failed = (not clean) + (not cheap)
    print(f"{2 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
