#!/usr/bin/python3
"""What a newcomer does, in a fresh root: README's own commands, on a VPN server and on a gateway of the lab; then the
carrier's NAT turns one-way, and the verdict is read wherever it is said.

usage: newcomer.py ROOT PACKAGES     PACKAGES: where ROOT has the four .deb files
The last line is `N passed, N failed`. Needs root.
"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import agent, nat, netns, topology, world  # noqa: E402
from lab.registry import expect  # noqa: E402

README = os.path.join(HERE, "../../README.md")
UPLINK = "eth2"
SERVER, GATEWAY = "On the VPN server", "On the gateway"


def commands(beginning):
    """README's commands after the paragraph that begins so."""
    with open(README, encoding="utf-8") as file:
        block = re.search(rf"^{beginning}[^`]*?\n```sh\n(.*?)```", file.read(), re.M | re.S)
    expect(block, f"README has no commands after '{beginning}'")
    return block[1].splitlines()


class Machine:
    """A fresh Debian in a directory, used in one of the lab's namespaces."""

    def __init__(self, root, packages):
        self.root, self.packages = root, packages

    def chroot(self, *command):
        return ["chroot", self.root, "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "HOME=/", *command]

    def types(self, line, where=None, code=0):
        """A command as somebody types it who stands where the packages are; its output."""
        prefix = ["ip", "netns", "exec", where] if where else []
        done = subprocess.run([*prefix, *self.chroot("bash", "-c", f"cd {self.packages} && {line}")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        expect(done.returncode == code, f"{line}: ended with {done.returncode}: {done.stdout}")
        return done.stdout

    def unit(self, name, key, default=None):
        with open(f"{self.root}/lib/systemd/system/{name}.service") as file:
            found = re.findall(rf"^{key}=(.*)$", file.read(), re.M)
        return found[-1] if found else default

    def start(self, name, where):
        """A unit as systemd starts it: its command, its user, no capability."""
        condition = self.unit(name, "ConditionPathExists")
        expect(not condition or os.path.exists(self.root + condition), f"{name} would not start: there is no {condition}")
        user = self.unit(name, "User")
        command = shlex.split(self.unit(name, "ExecStart").replace("$ARGS", ""))  # empty in the packaged /etc/default
        return world.Process(where, name, self.chroot(
            "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs", *command))

    def follows(self, beginning, where):
        """Everything that README says there, but what was done before the lab and what is for later."""
        started = None
        for line in commands(beginning):
            service = re.match(r"systemctl (?:re)?start (\S+)", line)
            if service:
                started = self.start(service[1], where)
            elif not line.startswith(("apt ", "uplinktool diagnose")):
                self.types(line, where)
        return started


class Path:
    """The steps, each of which is a test."""

    def __init__(self, machine):
        self.machine = machine
        subprocess.run(["mount", "-t", "proc", "proc", f"{machine.root}/proc"], check=True)
        topology.build()
        self.carrier, _ = nat.carrier(), nat.router_5g()
        with open(f"{machine.root}/etc/hosts", "a") as file:
            file.write(f"{topology.CLOUD} vpn.example.net\n")

    def server(self):
        """README's commands on the VPN server: the reflector runs"""
        process = self.machine.follows(SERVER, "cloud")
        world.wait_until(lambda: agent.answers("cloud", 10178, "/-/ready") or process.must_live(), 20, "the reflector's page")

    def gateway(self):
        """README's commands on the gateway: the agent runs, and its uplink is healthy by what the reflector says"""
        shutil.copy(f"{self.machine.root}/etc/uplink_reflector/gateways.key", self.machine.root + self.machine.packages)
        began = world.now()
        process = self.machine.follows(GATEWAY, "gw")
        world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or process.must_live(), 20, "the agent's page")
        self.verdicts = agent.Verdicts()
        self.verdicts.wait(UPLINK, "healthy", 90, since=began)
        expect(world.scrape("gw").value("uplink_reflector_up", reflector="cloud") == 1, "uplink_reflector_up is not 1")

    def without_privilege(self):
        """both run as their own users without any capability"""
        for process in world.Process.everyone:
            with open(f"/proc/{process.popen.pid}/status") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            expect(status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0, f"{process.label}: {status}")

    def metrics(self):
        """the carrier's NAT turns one-way: /metrics say so"""
        self.carrier.one_way_after(4)
        print(f"     one_way after {self.verdicts.wait(UPLINK, 'one_way', 60):.1f} s")

    def status(self):
        """/api/v1/status says so, and why"""
        status, text = world.fetch("gw", 10177, "/api/v1/status")
        uplink = next(u for u in json.loads(text)["uplinks"] if u["name"] == UPLINK)
        expect(status == 200 and uplink["verdict"] == "one_way" and "replies no longer come back" in uplink["why"], f"{status}: {text[:2000]}")

    def page(self):
        """the page says so, in the same sentence"""
        why = json.loads(world.fetch("gw", 10177, "/api/v1/status")[1])["uplinks"][0]["why"]
        page = world.fetch("gw", 10177, "/")[1]
        expect("one_way" in page and why.split(":")[0] in page, f"no {why!r} in {page[:3000]}")

    def diagnose(self):
        """README's `uplinktool diagnose` says so and what to do, and exits with 3"""
        line = next(line for line in commands(GATEWAY) if line.startswith("uplinktool diagnose"))
        said = self.machine.types(line, "gw", code=3)
        expect("one_way" in said and UPLINK in said, said)

    def second_line(self):
        """the story's cure, a host route through the 5G router: `uplinktool init` offers that line with its gateway, and not the LAN"""
        netns.ip("gw", f"route add {topology.CLOUD} via {topology.ROUTER_5G} dev eth1")
        said = self.machine.types("uplinktool init", "gw")
        offer = f'#- {{name: "eth1", interface: "eth1", gateway: "{topology.ROUTER_5G}"}}'
        expect(offer in said and "br-lan" not in said, said)
        with open(f"{self.machine.root}/etc/uplink_exporter/two.yml", "w") as file:
            file.write(said.replace(offer, offer[1:]))
        self.machine.types("uplinktool check config /etc/uplink_exporter/two.yml", "gw")

    def end(self):
        """both have lived through it"""
        self.verdicts.stop()
        for process in world.Process.everyone:
            process.must_live()


def inside(machine):
    netns.enter()
    path = Path(machine)
    passed = failed = 0
    for step in (path.server, path.gateway, path.without_privilege, path.metrics, path.status, path.page, path.diagnose, path.second_line, path.end):
        try:
            step()
            print(f"ok   {step.__doc__}", flush=True)
            passed += 1
        except Exception as error:  # whatever it was, the next step would stand on it
            print(f"FAIL {step.__doc__}: {error}")
            for process in world.Process.everyone:
                print(f"---- {process.label} (exit {process.popen.poll()})\n{process.output()[-3000:]}")
            failed += 1
            break
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    machine = Machine(os.path.realpath(sys.argv[1]), sys.argv[2])
    if os.environ.get(netns.INSIDE) == "1":
        return inside(machine)
    with open(f"{machine.root}/etc/apt/apt.conf.d/98newcomer", "w") as file:
        file.write('APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\nAcquire::Retries "3";\n')
    for line in commands(SERVER) + commands(GATEWAY):
        if line.startswith("apt "):
            machine.types(line)
    return netns.rerun(os.path.abspath(__file__), machine.root, machine.packages)


if __name__ == "__main__":
    sys.exit(main())
