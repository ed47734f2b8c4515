"""Real Prometheus and Alertmanager on the gateway with the shipped configuration, and a webhook that takes what they send."""
import glob
import http.server
import json
import os
import re
import socket
import threading
import urllib.parse

from . import netns, world

HERE = os.path.dirname(os.path.abspath(__file__))
DEPLOY = os.path.join(HERE, "../../deploy")
RULES = os.path.join(HERE, "../../rules")
WEBHOOK_PORT = 9095
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _scaled(text, **factors):
    """Rules with their `for` and `keep_firing_for` multiplied; what holds effects back behind causes keeps its time."""
    def scale(match):
        seconds = sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", match[3]))
        return f"{match[1]}{match[2]}: {max(1, round(seconds * factors.get(match[2], 1)))}s"
    blocks = re.split(r"(?m)(?=^ +- alert: )", text)
    return "".join(block if "- alert: UplinkFaultFresh" in block else
                   re.sub(r"(?m)^( +)(for|keep_firing_for): (\S+)$", scale, block) for block in blocks)


def copy_rules(directory, **factors):
    """A copy of the shipped rules, made here, whose durations are scaled; the rules themselves are never edited."""
    os.makedirs(directory, exist_ok=True)
    for path in glob.glob(f"{RULES}/*.rules.yml"):
        with open(path) as shipped, open(f"{directory}/{os.path.basename(path)}", "w") as copy:
            copy.write(_scaled(shipped.read(), **factors))


def copy_config(name, target, **changes):
    """A shipped Prometheus configuration with literal changes, each of which has to be there to be made."""
    with open(f"{DEPLOY}/prometheus/{name}") as file:
        text = file.read()
    for old, new in changes.values():
        if old not in text:
            raise netns.LabError(f"{name} no longer says {old!r}")
        text = text.replace(old, new)
    with open(target, "w") as file:
        file.write(text)
    return target


def answers(name, port):
    """Whether a Prometheus or Alertmanager in namespace `name` is ready."""
    try:
        return world.fetch(name, port, "/-/ready")[0] == 200
    except OSError:
        return False


def prometheus(name, label, config, port=9090, *flags, agent=False, address="127.0.0.1"):
    """A Prometheus in namespace `name`, its data in /run/lab/<label>."""
    storage = "agent" if agent else "tsdb"
    process = world.Process(name, label, [
        "prometheus", f"--config.file={config}", f"--storage.{storage}.path=/run/lab/{label}",
        f"--web.listen-address={address}:{port}", "--log.level=warn", *(["--enable-feature=agent"] if agent else []), *flags])
    world.wait_until(lambda: answers(name, port) or process.must_live(), 60, f"{label} being ready")
    return process


def start(forwards=None, **factors):
    """Starts both, with rules whose durations are scaled; their links lead to where the host's browser finds them."""
    def url(page, port):
        return f"--web.external-url={forwards.base(page) if forwards else f'http://127.0.0.1:{port}'}"
    world.Process("gw", "alertmanager", [
        "prometheus-alertmanager", f"--config.file={DEPLOY}/alertmanager/alertmanager.yml", "--cluster.listen-address=",
        "--storage.path=/run/lab/alertmanager", "--web.listen-address=127.0.0.1:9093", url("Alertmanager", 9093)])
    copy_rules("/run/lab/rules", **factors)
    config = copy_config("prometheus.yml", "/run/lab/prometheus.yml", rules=("../../rules/", "/run/lab/rules/"))
    return prometheus("gw", "prometheus", config, 9090, url("Prometheus", 9090))


def query(expression, name="gw", port=9090, at=None):
    """Result of an instant query, now or at a Unix time; empty while Prometheus is not up."""
    path = "/api/v1/query?query=" + urllib.parse.quote(expression) + ("" if at is None else f"&time={at}")
    try:
        status, text = world.fetch(name, port, path, timeout=30)
    except OSError:
        return []
    return json.loads(text)["data"]["result"] if status == 200 else []


def value(expression, name="gw", port=9090, at=None):
    """The one value of an instant query, or None."""
    found = query(expression, name, port, at)
    return float(found[0]["value"][1]) if len(found) == 1 else None


def wait_for(expression, timeout, name="gw", port=9090):
    return world.wait_until(lambda: query(expression, name, port), timeout, f"Prometheus showing {expression}")


class Firing:
    """Watches which alerts fire in Prometheus and notes when each began to."""

    def __init__(self):
        self.since = {}  # (alert name, uplink) -> monotonic seconds
        self._thread = world.Periodic(0.5, self._look)

    def _look(self):
        for found in query('ALERTS{alertstate="firing"}'):
            key = (found["metric"]["alertname"], found["metric"].get("uplink", ""))
            self.since.setdefault(key, world.now())

    def stop(self):
        self._thread.stop()


class Note:
    """One alert as a notification carried it."""

    def __init__(self, alert, receiver):
        self.at, self.receiver = world.now(), receiver
        self.status, self.labels = alert["status"], alert["labels"]
        self.name = self.labels["alertname"]
        self.summary = alert["annotations"].get("summary", "")
        self.description = alert["annotations"].get("description", "")

    def __repr__(self):
        about = self.labels.get("uplink") or self.labels.get("tunnel") or self.labels.get("instance", "")
        return f"{self.status} {self.name} ({about})"

    def remedy(self):
        """The command that the text tells to run, or None."""
        found = re.search(r"`(ip route add [^`]*)`", self.description)
        return found[1] if found else None


class Pager:
    """The webhook receiver in the gateway's namespace; keeps every notification but the watchdog's."""

    def __init__(self):
        self.notes = []  # of /page and /ticket
        self.alive = 0  # notifications of the watchdog
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler(), bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = self._listen()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @staticmethod
    def _listen():
        listener = netns.socket_in("gw", socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", WEBHOOK_PORT))
        listener.listen(16)
        return listener

    def _handler(self):
        pager = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/alive":
                    pager.alive += 1
                else:
                    pager.notes += [Note(alert, self.path[1:]) for alert in body["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass
        return Handler

    def pages(self):
        """What somebody was woken by, oldest first."""
        return [note for note in self.notes if note.receiver == "page"]

    def tickets(self):
        return [note for note in self.notes if note.receiver == "ticket"]

    def wait(self, name, status, timeout, **labels):
        """The first notification about this alert in this state with these labels."""
        def find():
            for note in self.notes:
                if note.name == name and note.status == status and labels.items() <= note.labels.items():
                    return note
            return None
        return world.wait_until(find, timeout, f"a notification: {name} {status} {labels}")
