#!/usr/bin/python3
"""Every example under deploy/ is read by the program that it is for; those for IPv6 are tried, with the agent behind them.

usage: examples.py [BIN]
In a private network of its own. A program that is not installed is skipped by name. Needs root. The last line is
`N passed, N failed`.
"""
import glob
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from lab import netns  # noqa: E402

DEPLOY = os.path.realpath(os.path.join(HERE, "../deploy"))
BIN = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../build/bin"))
PROXYD = "/lib/systemd/systemd-socket-proxyd"
PATIENCE = 30


class Skip(Exception):
    pass


def run(*command, code=0):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    assert done.returncode == code, f"{' '.join(command)} ended with {done.returncode}: {done.stdout}"
    return done.stdout


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Skip(f"{', '.join(missing)} not installed")


def agent_configurations():
    """configurations of the agent: uplinktool and the agent itself find them good"""
    files = [f"{DEPLOY}/examples/gateway.yml", f"{DEPLOY}/examples/this-machine.yml", f"{DEPLOY}/debian/agent.yml"]
    for file in files:
        assert run(f"{BIN}/uplinktool", "check", "config", file) == f"{file}: ok\n"
        assert run(f"{BIN}/uplink_exporter", "--config.check", "--config.file", file) == f"{file}: ok\n"


def reflector_configurations():
    """configurations of the reflector: uplinktool finds them good, and refuses them as an agent's"""
    for file in (f"{DEPLOY}/examples/reflector.yml", f"{DEPLOY}/debian/reflector.yml"):
        assert run(f"{BIN}/uplinktool", "check", "config", "--reflector", file) == f"{file}: ok\n"
        run(f"{BIN}/uplinktool", "check", "config", file, code=2)


def rate_limit():
    """web-config-rate-limit.yml: our programs accept it; promtool accepts it, or knows no rate limit yet"""
    file = f"{DEPLOY}/examples/web-config-rate-limit.yml"
    with open("reflector.yml", "w") as config:
        config.write('{allow_unauthenticated: true, listen: ["127.0.0.1:40862"]}\n')
    for program in (("uplink_exporter", "--config.file", f"{DEPLOY}/examples/this-machine.yml"),
                    ("uplink_reflector", "--config.file", "reflector.yml")):
        run(f"{BIN}/{program[0]}", *program[1:], "--config.check", "--web.config.file", file)
    need("promtool")
    said = subprocess.run(["promtool", "check", "web-config", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert (said.returncode == 0) == ("SUCCESS" in said.stdout), said.stdout
    assert said.returncode == 0 or "field rate_limit not found" in said.stdout, said.stdout


def verified(*units_):
    """It looks at units that these depend on as well, and those may be anybody's."""
    said = [line for line in run("systemd-analyze", "verify", "--man=no", *units_).splitlines() if "uplink" in line or "/units/" in line]
    assert not said, said


def units():
    """units, each with every one of its drop-ins, and those for IPv6: systemd-analyze verify has nothing to say"""
    need("systemd-analyze")
    for name in ("uplink-exporter", "uplink-reflector"):
        unit = f"units/{name}.service"
        os.makedirs(f"{unit}.d", exist_ok=True)
        with open(f"{DEPLOY}/systemd/{name}.service") as file, open(unit, "w") as copy:
            copy.write(file.read().replace("/usr/bin/", BIN + "/"))
        for drop_in in glob.glob(f"{DEPLOY}/systemd/drop-ins/*.conf"):
            with open(drop_in) as file:
                if f"{name}.service.d/" in file.read().replace("\n# ", " "):
                    shutil.copy(drop_in, f"{unit}.d")
        assert os.listdir(f"{unit}.d"), f"no drop-in says that it is for {name}"
        verified(unit)
    for suffix in ("service", "socket"):
        shutil.copy(f"{DEPLOY}/examples/ipv6/uplink-exporter-ipv6.{suffix}", "units")
    verified("units/uplink-exporter-ipv6.socket", "units/uplink-exporter-ipv6.service")


class Running:
    """A program in the background; its end is ours to wait for."""

    def __init__(self, *command):
        with open("log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.command = command

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def answers(self, url, context=None):
        """The text at `url`, once somebody answers there."""
        end = time.monotonic() + PATIENCE
        while True:
            assert self.process.poll() is None, f"{self.command} ended with {self.process.returncode}: {open('log').read()[-2000:]}"
            try:
                with urllib.request.urlopen(url, timeout=5, context=context) as response:
                    return response.read().decode()
            except OSError as error:
                assert time.monotonic() < end, f"{url}: {error}\n{open('log').read()[-2000:]}"
                time.sleep(0.1)


def agent():
    with open("agent.yml", "w") as config:
        config.write("{uplinks: [{name: lo, interface: lo}], reflectors: [], witnesses: []}\n")
    return Running(f"{BIN}/uplink_exporter", "--config.file", "agent.yml")


def value(path, section, key):
    """What a unit says for a key."""
    now = ""
    for line in open(path):
        now = line.strip() if line.startswith("[") else now
        if now == f"[{section}]" and line.startswith(key + "="):
            return line.split("=", 1)[1].strip()
    raise AssertionError(f"{path} has no {key} in [{section}]")


def socket_proxy():
    """systemd listens on IPv6 and hands on to the agent, as the two units say"""
    need("systemd-socket-activate")
    units_of = f"{DEPLOY}/examples/ipv6/uplink-exporter-ipv6"
    listen = value(f"{units_of}.socket", "Socket", "ListenStream")
    command = value(f"{units_of}.service", "Service", "ExecStart").split()
    with agent() as behind, Running("systemd-socket-activate", "-l", listen, *command) as proxy:
        behind.answers("http://127.0.0.1:10177/-/ready")
        assert "uplink_info{" in proxy.answers(f"http://{listen}/metrics")


def nginx():
    """nginx listens on IPv6 with TLS and hands on to the agent"""
    need("nginx", "openssl")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=IP:::1", "-keyout", "gateway.key", "-out", "gateway.crt")
    with open(f"{DEPLOY}/examples/ipv6/nginx.conf") as file:
        site = file.read().replace("/etc/ssl/private/gateway.key", os.path.abspath("gateway.key")).replace(
            "/etc/ssl/gateway.crt", os.path.abspath("gateway.crt"))
    with open("nginx.conf", "w") as file:
        file.write(f"daemon off; pid {os.path.abspath('nginx.pid')}; error_log stderr; events {{}}\nhttp {{ access_log off;\n{site}}}\n")
    command = ("nginx", "-p", os.getcwd(), "-c", os.path.abspath("nginx.conf"))
    assert "[warn]" not in run(*command, "-t"), run(*command, "-t")
    with agent() as behind, Running(*command) as proxy:
        behind.answers("http://127.0.0.1:10177/-/ready")
        context = ssl.create_default_context(cafile="gateway.crt")
        assert "uplink_info{" in proxy.answers("https://[::1]/metrics", context)


def compose_files():
    """what compose and Grafana's provisioning name is there"""
    import yaml
    base = f"{DEPLOY}/compose"
    with open(f"{base}/compose.yml") as file:
        services = yaml.safe_load(file)["services"]
    sources = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    missing = [path for path in sources if path.startswith(".") and not os.path.exists(os.path.join(base, path))]
    assert sources and not missing, f"{missing} of {sources}"
    for path in glob.glob(f"{DEPLOY}/grafana/provisioning/*/*.yml") + [f"{base}/targets.yml"]:
        with open(path) as file:
            assert yaml.safe_load(file), path


def main():
    if os.environ.get(netns.INSIDE) != "1":
        return netns.rerun(os.path.abspath(__file__), BIN)
    netns.enter()
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="examples.") as directory:
        os.chdir(directory)
        os.chmod(directory, 0o755)
        for test in (agent_configurations, reflector_configurations, rate_limit, units, socket_proxy, nginx, compose_files):
            try:
                test()
                print(f"ok   {test.__doc__}")
                passed += 1
            except Skip as why:
                print(f"skip {test.__doc__}: {why}")
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                print(f"FAIL {test.__doc__}: {error}")
                failed += 1
        os.chdir("/")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
