#!/usr/bin/python3
"""The seed's story with the real programs: a carrier NAT turns one-way, the tunnel loops, a page goes out, one route
cures it. Each step is printed when it has been observed; exit 0 only if every one was. deploy/quickstart.sh runs this.

usage: story.py [--once] [--bin DIR]
"""
import argparse
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, forward, household, monitoring, netns, observatory, openvpn, topology, world  # noqa: E402
from lab.agent import FIVE_G, MANSION  # noqa: E402
from lab.registry import expect  # noqa: E402

GOAL = 10.0  # s from the steady flow's first lost reply to both verdicts
POLL = 0.6   # s: how late a poll may see it
PAGE, LOOP = "UplinkUdpOneWay", "UplinkOpenvpnReconnectLoop"
KEEP = 0.125  # of keep_firing_for, which waits for scrapes that fail: two minutes would be long to watch
PICTURE = f"""
    lan {topology.LAN_HOST} --- gateway --- eth2 {MANSION}: carrier NAT --- internet --- cloud {topology.CLOUD}
                               \\------ eth1 {FIVE_G}: 5G router -----/      OpenVPN server, uplink_reflector
"""


class Story:
    def __init__(self):
        self.begun = time.monotonic()
        self.seen = {"arrivals": 0, "notes": 0, "verdicts": {}}

    def say(self, text):
        # In one write: the narrator speaks from a thread of its own.
        sys.stdout.write(f"[{time.monotonic() - self.begun:6.1f} s] {text}\n")
        sys.stdout.flush()

    def raise_lab(self, forwards):
        """Network, daemons, agent, monitoring: everything but the fault."""
        self.say("Raising the lab in network namespaces (nothing outside them is touched):" + PICTURE)
        self.house = household.Household(forwards, more_server=observatory.server_options(), keep_firing_for=KEEP)
        observatory.start()
        self.carrier, self.verdicts, self.pager = self.house.carrier, self.house.verdicts, self.house.pager
        self.narrator = world.Periodic(0.3, self._narrate)

    def _narrate(self):
        """Tells what happens by itself: verdicts, handshakes on the server, notifications."""
        arrivals = openvpn.arrivals()
        for where in arrivals[self.seen["arrivals"]:]:
            self.say(f"  OpenVPN server: the client arrives from {where}")
        self.seen["arrivals"] = len(arrivals)
        if self.verdicts.samples:
            for uplink, verdict in self.verdicts.samples[-1][1].items():
                if self.seen["verdicts"].get(uplink) != verdict:
                    self.say(f"  agent: {uplink} is {verdict}")
                    self.seen["verdicts"][uplink] = verdict
        for note in self.pager.notes[self.seen["notes"]:]:
            self.say(f"  Alertmanager -> {note.receiver}: {note.status.upper()} {note.name}: {note.summary}")
            self.seen["notes"] += 1

    def notified(self, name, status, timeout, **labels):
        """The notification, after the narrator has told of it."""
        note = self.pager.wait(name, status, timeout, **labels)
        time.sleep(0.5)
        return note

    def healthy(self):
        """Chapter 1: everything works."""
        self.house.healthy()
        self.say(f"The tunnel stands: the cloud reaches {topology.LAN_HOST} in the home. Both uplinks are healthy.")
        time.sleep(15)
        for uplink in (MANSION, FIVE_G):
            expect(self.verdicts.samples[-1][1][uplink] == "healthy", f"{uplink} did not stay healthy")

    def turn_one_way(self):
        """Chapter 2: the carrier changes its NAT."""
        steady = self.carrier.steady_port(agent.PORT)
        self.fault = world.now()
        before, restarts = len(openvpn.arrivals()), openvpn.restarts()
        self.carrier.one_way_after(4)
        self.say("The carrier NAT now forgets a UDP flow 4 s after it began, however much is sent.")
        lost = world.wait_until(lambda: dict(self.carrier.losses()).get((agent.PORT, steady)), 30, "the steady flow's first loss")
        self.say("  carrier NAT: the steady flow loses its first reply")
        for verdict in ("return_lost", "one_way"):
            took = self.verdicts.wait(MANSION, verdict, GOAL + POLL, lost)
            self.say(f"Verdict {verdict} {took:.1f} s after the first lost reply.")
        why = world.fetch("gw", 10177, "/")[1]
        expect("no longer come back" in why, "the page does not say why")
        monitoring.wait_for('uplink_verdict{uplink="mansion",verdict="one_way"} == 1', 20)
        self.say('Prometheus shows uplink_verdict{uplink="mansion",verdict="one_way"} 1.')
        world.wait_until(lambda: openvpn.restarts() >= restarts + 3, 90, "three restarts of the tunnel")
        ports = openvpn.arrivals()[before:]
        expect(len(ports) >= 2 and len(set(ports)) == len(ports), f"a new port each time: {ports}")
        self.say(f"OpenVPN loops: {openvpn.restarts() - restarts} restarts, {len(ports)} handshakes passed since, each from "
                 f"a new port.")
        world.wait_until(lambda: not openvpn.reaches_home(), 30, "the tunnel being dead")
        self.say("Between its handshakes the tunnel is dead: the cloud does not reach the home.")

    def page(self):
        """Chapter 3: somebody is woken, once, and told what to do."""
        note = self.notified(PAGE, "firing", 90, uplink=MANSION)
        expect(MANSION in note.description and "carrier NAT" in note.description, f"the page names no cause: {note.description}")
        command = note.remedy()
        expect(command, f"the page names no remedy: {note.description}")
        self.say(f"The page names uplink, cause and remedy:\n\n    {note.summary}\n    {note.description}\n")
        self.say(f"It took {self.house.times(self.fault, 'one_way', PAGE, note)}.")
        monitoring.wait_for(f'ALERTS{{alertname="{LOOP}",alertstate="firing",tunnel="cloud"}}', 90)
        self.say("Prometheus knows that the tunnel loops, too. That is an effect, and Alertmanager wakes nobody twice.")
        return command.replace("VPN-SERVER", topology.CLOUD)

    def cure(self, command):
        """Chapter 4: the host route goes in."""
        expect(command == f"ip route add {topology.CLOUD}/32 via {topology.ROUTER_5G} dev eth1", f"wrong remedy: {command}")
        # Right after a handshake the tunnel works for 4 s: begin when it does not, so that what follows is the cure.
        world.wait_until(lambda: not openvpn.reaches_home(), 30, "the tunnel being dead")
        netns.run("gw", *command.split())
        since = world.now()
        self.say(f"On the gateway: {command}")
        world.wait_until(lambda: all(openvpn.reaches_home() for _ in range(3)), 45, "the tunnel through the 5G router")
        self.say(f"The tunnel stands again after {world.now() - since:.0f} s, through the 5G router:\n\n" +
                 netns.run("gw", "ip", "route", "show"))
        restarts = openvpn.restarts()
        time.sleep(20)
        expect(openvpn.reaches_home() and openvpn.restarts() == restarts, "the tunnel does not stand")
        self.verdicts.only(MANSION, "healthy", "return_lost", "one_way", since=self.fault)
        self.verdicts.only(FIVE_G, "healthy", since=self.fault)
        expect(self.verdicts.samples[-1][1][MANSION] == "one_way", "the carrier uplink is no longer one_way")
        self.house.one_page(PAGE, uplink=MANSION)
        self.say(f"20 s later it still stands, while {MANSION} is still one_way; {FIVE_G} was healthy throughout.")

    def repair(self):
        """Chapter 5: the carrier mends its NAT."""
        self.carrier.normal()
        since = world.now()
        self.say("The carrier NAT keeps its flows again.")
        took = self.verdicts.wait(MANSION, "healthy", 120, since)
        self.say(f"{MANSION} is healthy again {took:.0f} s later, when new flows had lived for long enough.")
        note = self.notified(PAGE, "resolved", 120, uplink=MANSION)
        self.say(f"The page is resolved {note.at - since:.0f} s after the repair.")
        time.sleep(10)
        self.house.one_page(PAGE, uplink=MANSION)
        expect(len(self.pager.pages()) == 2, f"one page and one resolve were due: {self.pager.pages()}")
        self.say("One page, one resolve, and nothing else woke anybody.")

    def tell(self, forwards):
        self.raise_lab(forwards)
        self.say("Open in a browser on this machine:\n" + forwards.urls())
        self.healthy()
        self.turn_one_way()
        self.cure(self.page())
        self.repair()
        self.narrator.stop()
        self.house.done()
        observatory.keep()


def inside(options):
    netns.enter()
    story = Story()
    forwards = forward.Forwards.parse(options.forwards)
    forwards.start()
    try:
        story.tell(forwards)
        story.say("Every step was observed.")
        if not options.once:
            print("The lab stays up until Ctrl-C:\n" + forwards.urls(), flush=True)
            while True:
                time.sleep(3600)
        return 0
    except KeyboardInterrupt:
        print("\nThe lab is gone.")
        return 0 if not options.once else 130
    except BaseException:
        story.say("A step was not observed:")
        traceback.print_exc(file=sys.stdout)
        for process in world.Process.everyone:
            print(f"---- {process.label} (exit {process.popen.poll()})\n{process.output()[-4000:]}")
        return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--once", action="store_true", help="end with the story: exit 0 only if each step was observed")
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"), help="where the programs are")
    parser.add_argument("--forwards", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["UPLINK_BIN"] = os.path.abspath(options.bin)
    if options.forwards:
        return inside(options)
    if os.geteuid() != 0:
        parser.error("the lab needs root, for its namespaces")
    forwards = forward.Forwards.listen()
    arguments = ["--bin", options.bin, "--forwards", str(forwards)] + (["--once"] if options.once else [])
    return netns.rerun(os.path.abspath(__file__), *arguments, pass_fds=forwards.fds())


if __name__ == "__main__":
    sys.exit(main())
