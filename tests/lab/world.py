"""Processes, waiting, HTTP and Prometheus text: what every scenario needs."""
import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import time

from . import netns

LOGS = "/run/lab"


class Process:
    """A daemon in namespace `name`, in a process group of its own, with its output in /run/lab/<label>.log."""

    everyone = []

    def __init__(self, name, label, command):
        self.label = label
        self.log_path = f"{LOGS}/{label}.log"
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(["ip", "netns", "exec", name, *command], stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT, start_new_session=True)
        Process.everyone.append(self)

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        """Signals the process itself, which after `ip netns exec` has the pid we started."""
        if self.alive():
            self.popen.send_signal(number)

    def kill(self):
        """As a power cut would: no goodbye."""
        if self.alive():
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self, timeout=5):
        """Asks, then insists. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.popen.returncode

    def output(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def resident(self):
        """Octets of memory that it holds."""
        with open(f"/proc/{self.popen.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))

    def cpu(self):
        """Seconds of processor time that it has used."""
        with open(f"/proc/{self.popen.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def must_live(self):
        if not self.alive():
            raise netns.LabError(f"{self.label} ended with {self.popen.returncode}:\n{self.output()[-2000:]}")


def wait_until(condition, timeout, what, every=0.2):
    """Polls until condition() is true-ish and returns what it returned; a LabError says what was waited for."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise netns.LabError(f"not within {timeout:g} s: {what}")
        time.sleep(every)


class _HttpIn(http.client.HTTPConnection):
    """An HTTP connection that is opened inside a namespace."""

    def __init__(self, name, address, port, timeout):
        super().__init__(address, port, timeout=timeout)
        self._name = name

    def connect(self):
        self.sock = netns.socket_in(self._name, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect((self.host, self.port))


def fetch(name, port, path, method="GET", body=None, headers=None, address="127.0.0.1", timeout=3):
    """One request inside namespace `name`; returns (status, text). Raises OSError where nobody answers."""
    connection = _HttpIn(name, address, port, timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape: what the text exposition format said."""

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            match = None if line.startswith("#") else _SAMPLE.match(line)
            if match:
                self.samples.append((match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])))

    def all(self, metric, **labels):
        """Samples of `metric` that carry at least these labels, as (labels, value)."""
        return [(have, value) for name, have, value in self.samples
                if name == metric and labels.items() <= have.items()]

    def value(self, metric, **labels):
        """The one sample with these labels, or None."""
        found = self.all(metric, **labels)
        if len(found) > 1:
            raise netns.LabError(f"{metric}{labels} is ambiguous: {found}")
        return found[0][1] if found else None

    def sum(self, metric, **labels):
        return sum(value for _, value in self.all(metric, **labels))

    def state(self, metric, of, **labels):
        """The value of label `of` that is 1 in a state set; exactly one has to be."""
        on = [have[of] for have, value in self.all(metric, **labels) if value == 1]
        if len(on) != 1:
            raise netns.LabError(f"{metric}{labels}: exactly one {of} should be 1, found {on}")
        return on[0]


def scrape(name, port=10177, path="/metrics"):
    """Metrics of an exporter in namespace `name`."""
    status, text = fetch(name, port, path)
    if status != 200:
        raise netns.LabError(f"{path} answered {status}: {text[:200]}")
    return Metrics(text)


class Periodic(threading.Thread):
    """Calls a function every so many seconds until stopped; keeps the first exception for whoever asks."""

    def __init__(self, every, function):
        super().__init__(daemon=True)
        self._every, self._function = every, function
        self._stop_event = threading.Event()
        self.error = None
        self.start()

    def run(self):
        while not self._stop_event.is_set():
            try:
                self._function()
            except Exception as error:  # handed to the scenario by stop()
                self.error = error
                return
            self._stop_event.wait(self._every)

    def stop(self):
        self._stop_event.set()
        self.join(10)
        if self.error:
            raise self.error


def now():
    return time.monotonic()
