#!/usr/bin/python3
"""Runs lab scenarios, several at once, each in a private world of its own, and tells how long faults took to be told.

usage: run.py [--jobs N] [--bin DIR] [--list] [NAME-PART...]
A delay above its goal counts as a failure, too. The last line is `N passed, N failed`; the exit status is 1 where one
failed. Needs root.
"""
import argparse
import glob
import concurrent.futures
import importlib
import os
import shutil
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import detection, netns, world  # noqa: E402
from lab.registry import SCENARIOS, Skip  # noqa: E402
for file in sorted(glob.glob(os.path.join(HERE, "*_scenarios.py"))):
    importlib.import_module("lab." + os.path.basename(file).removesuffix(".py"))  # it registers its scenarios

SKIPPED = 77


def keep_logs(name):
    """Where UPLINK_LAB_KEEP names a directory: what the real OpenVPN wrote, to be a fixture of unit tests."""
    for path in glob.glob("/run/lab/openvpn/*.log") if os.environ.get("UPLINK_LAB_KEEP") else ():
        target = os.path.join(os.environ["UPLINK_LAB_KEEP"], f"{name}-{os.path.basename(path)}")
        shutil.copyfile(path, target)


def inside(name):
    """Runs one scenario in this process, which is alone in its world."""
    netns.enter()
    try:
        SCENARIOS[name].function()
        status = 0
        keep_logs(name)
    except Skip as why:
        print(f"skipped: {why}")
        return SKIPPED
    except BaseException:  # the log of a failure holds everything
        traceback.print_exc(file=sys.stdout)
        status = 1
        for process in world.Process.everyone:
            print(f"---- {process.label} (exit {process.popen.poll()})\n{process.output()[-6000:]}")
    return status


def outside(name, binaries, script=__file__, timeout=None):
    """Runs one scenario (or what another script calls so) in a child; returns (status, seconds, output)."""
    started = time.monotonic()
    timeout = timeout or SCENARIOS[name].timeout
    command = netns.unshare_command(sys.executable, os.path.abspath(script), "--inside", name, "--bin", binaries)
    with netns.spawn(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                     start_new_session=True) as child:
        try:
            output = child.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            child.kill()  # its world dies with it
            output = child.communicate()[0] + f"\ntimed out after {timeout} s\n".encode()
    return child.returncode, time.monotonic() - started, output.decode("utf-8", "replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME-PART", help="run scenarios whose name contains one of these")
    parser.add_argument("--jobs", type=int, default=6, help="scenarios at once (default 6; most of them wait)")
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"), help="where the programs are")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--verbose", action="store_true", help="print the output of what passed, too")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if options.inside:
        return inside(options.inside)
    chosen = [s for s in SCENARIOS.values() if not options.names or any(part in s.name for part in options.names)]
    if options.list:
        print("\n".join(f"{s.name}: {s.says}" for s in chosen))
        return 0
    if not chosen:
        parser.error("no scenario has such a name")
    if os.geteuid() != 0:
        parser.error("the lab needs root, for its namespaces")
    missing = netns.missing_tools("ip", "nft", "conntrack", "unshare")
    if missing:
        parser.error(f"install {', '.join(missing)} first (deploy/install.sh does)")
    chosen.sort(key=lambda s: -s.timeout)  # the longest first, so that none is left alone at the end
    count = {0: 0, SKIPPED: 0, 1: 0}
    delays = detection.Table()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(outside, s.name, options.bin): s for s in chosen}
        for future in concurrent.futures.as_completed(waiting):
            status, seconds, output = future.result()
            delays.collect(waiting[future].name, output)
            kind = status if status in (0, SKIPPED) else 1
            count[kind] += 1
            word = {0: "ok", SKIPPED: "skip", 1: "FAIL"}[kind]
            print(f"{word:4} {seconds:6.1f} s  {waiting[future].name}: {waiting[future].says}", flush=True)
            if kind or options.verbose:
                print("    " + output.strip().replace("\n", "\n    "), flush=True)
    met, missed = delays.tell()
    count[0], count[1] = count[0] + met, count[1] + missed
    skipped = f", {count[SKIPPED]} skipped" if count[SKIPPED] else ""
    print(f"{count[0]} passed, {count[1]} failed{skipped}")
    return 1 if count[1] else 0


if __name__ == "__main__":
    sys.exit(main())
