#!/usr/bin/python3
"""The page in a real Chromium, against the lab: both uplinks healthy, one turns one-way, the agent is killed and returns.

usage: page.py [--bin DIR] [--shots DIR]
Needs root, chromium and node (tests/browser/run.sh installs them). The last line is `N passed, N failed`.
"""
import argparse
import os
import subprocess
import sys
import threading
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, netns, openvpn, topology, world  # noqa: E402
from lab.agent import FIVE_G, MANSION  # noqa: E402

PATIENCE = 300  # s for one act: the machine may be busy


class Browser:
    """page.mjs in the gateway's namespace: told the name of an act, it plays it and says what it saw."""

    def __init__(self, shots):
        # What Chromium wants to write goes where the lab's world ends with it.
        environment = {**os.environ, "HOME": "/run/lab", "XDG_RUNTIME_DIR": "/run/lab", "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        self.process = subprocess.Popen(["ip", "netns", "exec", "gw", "node", os.path.join(HERE, "page.mjs"), shots],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.passed = self.failed = 0

    def act(self, name):
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.daemon = True  # where the browser has ended already, nobody waits for it
        watchdog.start()
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            line = line.rstrip("\n")
            if line == f"end {name}":
                watchdog.cancel()
                return
            print(line, flush=True)
            self.passed += line.startswith("ok ")
            self.failed += line.startswith("FAIL ")
        raise netns.LabError(f"the browser ended within {name}")


def play(browser_at):
    home = agent.Home(
        openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG, "reflector": "cloud"}],
        routes=[{"destination": topology.CLOUD, "uplink": MANSION}, {"destination": topology.WITNESS, "uplink": FIVE_G}],
        probe={"ladder_interval": "30s", "holds": ["1s", "2s", "5s", "10s", "20s"]})
    openvpn.make_certificates()
    openvpn.start_server()
    openvpn.start_client()
    verdicts = home.healthy(timeout=120)
    world.wait_until(lambda: world.scrape("gw").value("openvpn_state", tunnel="cloud", state="connected") == 1, 60,
                     "the tunnel")
    world.wait_until(lambda: world.scrape("gw").all("uplink_udp_mapping_lifetime_seconds", uplink=MANSION), 120,
                     "the ladder")
    browser = browser_at()
    browser.act("healthy")
    home.carrier.one_way_after(4)
    verdicts.wait(MANSION, "one_way", 60)
    world.wait_until(lambda: openvpn.restarts() >= 2, 120, "the tunnel looping")
    browser.act("one_way")
    home.agent.kill()
    browser.act("killed")
    verdicts.stop()
    home.start_agent()
    browser.act("back")
    home.verdicts.stop()
    home.agent.must_live()
    return browser


def inside(shots):
    netns.enter()
    browser = None

    def browser_at():
        nonlocal browser
        browser = Browser(shots)
        return browser
    error = 0
    try:
        play(browser_at)
    except BaseException:
        traceback.print_exc(file=sys.stdout)
        for process in world.Process.everyone:
            print(f"---- {process.label} (exit {process.popen.poll()})\n{process.output()[-3000:]}")
        error = 1
    passed, failed = (browser.passed, browser.failed + error) if browser else (0, error)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"), help="where the programs are")
    parser.add_argument("--shots", default="", help="keep pictures of the page in this directory")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if options.inside:
        return inside(options.shots)
    if os.geteuid() != 0:
        parser.error("the lab needs root, for its namespaces")
    shots = os.path.abspath(options.shots) if options.shots else ""
    return netns.rerun(os.path.abspath(__file__), "--bin", options.bin, "--inside", "--shots", shots)


if __name__ == "__main__":
    sys.exit(main())
