#!/usr/bin/python3
"""The scenario matrix: many named behaviours of NATs and networks, and what our agent says of each.

usage: matrix.py [--rounds N] [--jobs N] [--bin DIR] [--list] [ROW...]
Each row is played in a private world of its own, many at once. Prints a table: the verdict, the scope, how long a
stream's mapping survives silence, and, where irtt can run, the loss that irtt reports (out/back, in percent) beside the
truth; and another of how long the faults took to be told, where a delay above its goal counts as a failure. The last
line is `N passed, N failed`. Needs root.
"""
import argparse
import concurrent.futures
import json
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, detection, matrix_worlds, netns, run, world  # noqa: E402
from lab.agent import FIVE_G, MANSION  # noqa: E402
from lab.matrix_rows import INF, ROWS  # noqa: E402
from lab.nat_info_scenarios import SECOND, nat_info  # noqa: E402
from lab.registry import expect  # noqa: E402

TIMEOUT = 420
TELLING = 90  # s: within which a scope is told once the verdict stands; looking for a NAT that forgets takes longest
COLUMNS = (("row", 24), ("verdict", 18), ("scope", 9), ("stream", 9), ("truth", 6), ("irtt", 10), ("truth", 8), ("s", 5))


def bracket(pattern):
    page = world.scrape("gw")
    return tuple(page.value("uplink_udp_mapping_lifetime_seconds", uplink=MANSION, pattern=pattern, bound=bound)
                 for bound in ("lower", "upper"))


def contains(found, seconds):
    """Whether the bracket holds the truth: sharp to a second, or open where nothing failed. Timers of the kernel tick."""
    lower, upper = found
    if lower is None:
        return False
    if seconds == INF:
        return upper == INF
    return lower <= seconds + 0.5 and upper >= seconds - 0.5 and upper - lower <= 1


def scope():
    return world.scrape("gw").state("uplink_fault_scope", of="scope", uplink=MANSION)


def play(row, result):
    """Plays one row, fills in the result, and raises where it is not as it has to be."""
    if row.nat_info:
        row.config["witnesses"] = [f"198.18.0.10:{agent.STUN_PORT}"]
    home = agent.Home(probe=row.probe, **row.config)
    if row.nat_info:
        netns.ip("witness", f"addr add {SECOND}/24 dev eth0")
        agent.start_witness("198.18.0.10", SECOND)
    if row.prepare:
        row.prepare(home)

    def begin():
        return home.fault(lambda: row.behave and row.behave(home), () if row.verdict == "healthy" else row.verdict,
                          age=row.age, lifetime=row.lifetime)
    if not row.late:
        begin()
    uplinks = row.wait_for or (MANSION, FIVE_G)
    home.start_agent()
    verdicts = home.verdicts
    since = home.started
    irtt = None
    if row.late:
        for uplink in uplinks:
            verdicts.wait(uplink, "healthy", 60, since=home.started)
        if row.irtt:
            irtt = matrix_worlds.Irtt(home.carrier)
            time.sleep(2)
        since = begin()
    try:
        result["seconds"] = verdicts.wait(MANSION, row.verdict, row.within, since)
        for pattern, seconds in row.truth.items():
            world.wait_until(lambda p=pattern, s=seconds: contains(bracket(p), s), 150,
                             f"{pattern}: a bracket that is sharp and holds {seconds} s", every=1)
        time.sleep(row.stays)
        world.wait_until(lambda: scope() == row.scope, TELLING, f"the scope {row.scope}", every=1)
        if row.nat_info:
            world.wait_until(lambda: nat_info(MANSION)[0] == row.nat_info, 60, f"mapping {row.nat_info}", every=1)
    finally:
        lower, upper = bracket("stream")
        result.update(verdict=verdicts.samples[-1][1][MANSION], scope=scope(), history=verdicts.history(MANSION, since),
                      bracket="" if lower is None else f"{lower:g}..{upper:g}")
        if irtt:
            result["irtt"], result["irtt_truth"] = irtt.result()
    expect("/" in result.get("irtt", "/"), f"irtt itself: {result.get('irtt')}")
    expect(result["verdict"] == row.verdict, f"{row.verdict} did not stay: {result['history']}")
    verdicts.only(MANSION, *row.allowed, since=since)
    expect(verdicts.scopes[MANSION] <= {"unknown", row.scope}, f"scopes of {row.scope}: {verdicts.scopes[MANSION]}")
    if FIVE_G in uplinks:
        verdicts.only(FIVE_G, "unknown", "healthy")
    home.done()


def inside(name):
    netns.enter()
    result = {}
    status = 0
    try:
        play(ROWS[name], result)
    except BaseException:  # whatever it was, it is told outside
        traceback.print_exc(file=sys.stdout)
        status = 1
        for process in world.Process.everyone:
            print(f"---- {process.label} (exit {process.popen.poll()})\n{process.output()[-4000:]}")
    print("RESULT " + json.dumps(result))
    return status


def line(cells):
    return "  ".join(str(cell).ljust(width) for cell, (_, width) in zip(cells, COLUMNS)).rstrip()


def show(row, status, seconds, output):
    """One line of the table; of a failure, everything."""
    told = [text for text in output.splitlines() if text.startswith("RESULT ")]
    result = json.loads(told[-1][7:]) if told else {}
    stream = row.truth.get("stream")
    wanted = "" if result.get("verdict") == row.verdict else f" (not {row.verdict})"
    print(("ok    " if status == 0 else "FAIL  ") + line((
        row.name, result.get("verdict", "-") + wanted, result.get("scope", "-"), result.get("bracket", ""),
        "" if stream is None else f"{stream:g}", result.get("irtt", ""), result.get("irtt_truth", ""),
        f"{result.get('seconds', seconds):.1f}")) + f"  {row.says}", flush=True)
    if status:
        print("    " + output.strip().replace("\n", "\n    "), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="play these rows only")
    parser.add_argument("--rounds", type=int, default=1, help="play everything so many times in a row")
    parser.add_argument("--jobs", type=int, default=12, help="rows at once (default 12; they mostly wait)")
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"), help="where the programs are")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if options.inside:
        return inside(options.inside)
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}")
    chosen = [ROWS[name] for name in options.rows or ROWS]
    if options.list:
        print("\n".join(f"{row.name}: {row.says}" for row in chosen))
        return 0
    if os.geteuid() != 0:
        parser.error("the lab needs root, for its namespaces")
    missing = netns.missing_tools("ip", "nft", "conntrack", "unshare", "irtt")
    if missing:
        parser.error(f"install {', '.join(missing)} first (deploy/install.sh does)")
    passed = failed = 0
    delays = detection.Table()
    order = sorted(chosen, key=lambda row: -(row.within + row.stays + 60 * len(row.truth)))  # the longest first
    for number in range(1, options.rounds + 1):
        print(f"round {number}\n      " + line([name for name, _ in COLUMNS]) + "  what", flush=True)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            waiting = {pool.submit(run.outside, row.name, options.bin, __file__, TIMEOUT): row for row in order}
            for future in concurrent.futures.as_completed(waiting):
                status, seconds, output = future.result()
                delays.collect(waiting[future].name, output)
                show(waiting[future], status, seconds, output)
                passed, failed = passed + (status == 0), failed + (status != 0)
    met, missed = delays.tell()
    passed, failed = passed + met, failed + missed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
