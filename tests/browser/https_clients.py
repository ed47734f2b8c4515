#!/usr/bin/python3
"""Real clients speak HTTPS with both programs, set up by the examples of deploy/: curl, Python's ssl, promtool, Prometheus.

usage: https_clients.py [BIN]
On loopback only. A client that is not installed is skipped by name. The last line is `N passed, N failed`.
"""
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "../../deploy/examples")
BIN = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../build/bin"))
USER, PASSWORD = "prometheus", "change-me"  # as the example says
PATIENCE = 60


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        expect(time.monotonic() < end, f"not within {PATIENCE} s: {what}")
        time.sleep(0.1)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def run(*command, check=True):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE)
    expect(not check or done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def certificate(name):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.crt")


class Program:
    """One of ours, with the example's web configuration, in the directory of the test."""

    def __init__(self, name, config):
        with open(f"{name}.yml", "w") as file:
            json.dump(config, file)
        self.port, self.name = free_port(), name
        flags = ["--config.file", f"{name}.yml", "--web.config.file", "web-config.yml"]
        run(f"{BIN}/{name}", *flags, "--config.check")
        self.log = open(f"{name}.log", "w")
        self.process = subprocess.Popen([f"{BIN}/{name}", *flags, "--web.listen-address", f"127.0.0.1:{self.port}"],
                                        stdout=self.log, stderr=self.log)

    def url(self, path):
        return f"https://localhost:{self.port}{path}"

    def get(self, path, password=PASSWORD, ca="web.crt"):
        """Status and text, by Python's own TLS."""
        request = urllib.request.Request(self.url(path))
        if password:
            manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
            manager.add_password(None, self.url("/"), USER, password, is_authenticated=True)
            handler = urllib.request.HTTPBasicAuthHandler(manager)
        else:
            handler = urllib.request.BaseHandler()
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca)), handler)
        try:
            with opener.open(request, timeout=20) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def answers(self):
        expect(self.process.poll() is None, f"{self.name} ended with {self.process.returncode}: {open(self.log.name).read()}")
        try:
            return self.get("/-/ready")[0] == 200
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.log.close()


def python_ssl(program, metric):
    """Python's ssl reads a scrape again and again; a wrong password, none, and a foreign certificate are refused"""
    for _ in range(3):
        status, text = program.get("/metrics")
        expect(status == 200 and metric in text, f"{status}: {text[:200]}")
    expect(program.get("/metrics", password="wrong")[0] == 401, "a wrong password")
    expect(program.get("/metrics", password=None)[0] == 401, "no password")
    try:
        program.get("/metrics", ca="other.crt")
    except OSError as error:
        expect("CERTIFICATE_VERIFY_FAILED" in str(error), str(error))
    else:
        raise Failed("another authority vouched for it")


def curl(program, metric):
    """curl reads a scrape over TLS 1.2 and 1.3, asks for the head only, and reloads"""
    if not shutil.which("curl"):
        return "curl is not installed"
    base = ["curl", "-sS", "--cacert", "web.crt", "-u", f"{USER}:{PASSWORD}"]
    for version in (["--tls-max", "1.2"], ["--tlsv1.3"]):
        expect(metric in run(*base, *version, program.url("/metrics")), f"the scrape over {version}")
    head = run(*base, "-I", program.url("/metrics"))
    expect(head.startswith("HTTP/1.1 200") and "Strict-Transport-Security: max-age=31536000" in head, head)
    expect(run(*base, "-X", "POST", program.url("/-/reload")) == "reloaded\n", "the reload")
    plain = run("curl", "-sS", f"http://localhost:{program.port}/metrics", check=False)
    expect(metric not in plain, "a scrape without TLS")


def renewal(program, _):
    """a renewed certificate is shown to the next client, without a restart"""
    certificate("new")
    for suffix in ("key", "crt"):
        os.replace(f"new.{suffix}", f"web.{suffix}")
    wait_until(program.answers, f"{program.name} answering with the renewed certificate")


def prometheus(program, metric):
    """Prometheus scrapes it over HTTPS, with the password"""
    if not shutil.which("prometheus"):
        return "prometheus is not installed"
    port = free_port()
    with open("prometheus.yml", "w") as file:
        json.dump({"scrape_configs": [{
            "job_name": "uplink", "scrape_interval": "1s", "scheme": "https", "tls_config": {"ca_file": os.path.abspath("web.crt")},
            "basic_auth": {"username": USER, "password": PASSWORD},
            "static_configs": [{"targets": [f"localhost:{program.port}"]}]}]}, file)
    with open("prometheus.log", "w") as log:
        server = subprocess.Popen(["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path=tsdb-{program.name}",
                                   f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def seen(expression):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={expression}", timeout=5) as response:
                return json.load(response)["data"]["result"]
        except OSError:
            return []
    try:
        wait_until(lambda: seen("up==1") and seen(metric), f"Prometheus having {metric}")
    finally:
        server.kill()
        server.wait()


def promtool(*_):
    """promtool accepts the example"""
    if not shutil.which("promtool"):
        return "promtool is not installed"
    expect("SUCCESS" in run("promtool", "check", "web-config", "web-config.yml"), "promtool says nothing")


def main():
    passed = failed = 0
    directory = tempfile.mkdtemp(prefix="https_clients.")
    os.chdir(directory)
    shutil.copy(f"{EXAMPLES}/web-config.yml", ".")
    certificate("web")
    certificate("other")
    programs = ((Program("uplink_exporter", {"uplinks": [{"name": "lo", "interface": "lo"}], "reflectors": [], "witnesses": []}),
                 "uplink_info"),
                (Program("uplink_reflector", {"allow_unauthenticated": True, "listen": [f"127.0.0.1:{free_port()}"]}),
                 "uplink_reflector_build_info"))
    try:
        for program, metric in programs:
            for test in (python_ssl, curl, prometheus, renewal, promtool):
                name = f"{program.name}: {test.__doc__}"
                try:
                    wait_until(program.answers, f"{program.name} being ready")
                    why = test(program, metric)
                    expect(program.process.poll() is None, f"{program.name} ended with {program.process.returncode}")
                    print(f"skip {name}: {why}" if why else f"ok   {name}")
                    passed += not why
                except (Failed, OSError, subprocess.SubprocessError) as error:
                    failed += 1
                    print(f"FAIL {name}: {error}\n{open(program.log.name).read()[-2000:]}")
    finally:
        for program, _ in programs:
            program.stop()
        shutil.rmtree(directory)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
