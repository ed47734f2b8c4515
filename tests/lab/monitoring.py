"""Real Prometheus and Alertmanager on the gateway with the shipped configuration, and a webhook that takes the pages."""
import http.server
import json
import os
import re
import socket
import threading
import urllib.parse

from . import netns, world

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deploy")
WEBHOOK_PORT = 9095


def start(forwards):
    """Starts both; their links lead to where the host's browser finds them."""
    world.Process("gw", "alertmanager", [
        "prometheus-alertmanager", f"--config.file={DEPLOY}/alertmanager/alertmanager.yml", "--cluster.listen-address=",
        "--storage.path=/run/lab/alertmanager", "--web.listen-address=127.0.0.1:9093",
        f"--web.external-url={forwards.base('Alertmanager')}"])
    world.Process("gw", "prometheus", [
        "prometheus", f"--config.file={DEPLOY}/prometheus/prometheus.yml", "--storage.tsdb.path=/run/lab/prometheus",
        "--web.listen-address=127.0.0.1:9090", f"--web.external-url={forwards.base('Prometheus')}", "--log.level=warn"])


def query(expression):
    """Result vector of an instant query, empty while Prometheus is not up."""
    try:
        status, text = world.fetch("gw", 9090, "/api/v1/query?query=" + urllib.parse.quote(expression))
    except OSError:
        return []
    return json.loads(text)["data"]["result"] if status == 200 else []


def wait_for(expression, timeout):
    return world.wait_until(lambda: query(expression), timeout, f"Prometheus showing {expression}")


class Note:
    """One alert as a notification carried it."""

    def __init__(self, alert):
        self.status, self.labels = alert["status"], alert["labels"]
        self.name = self.labels["alertname"]
        self.summary = alert["annotations"].get("summary", "")
        self.description = alert["annotations"].get("description", "")

    def remedy(self):
        """The command that the text tells to run, or None."""
        found = re.search(r"`(ip route add [^`]*)`", self.description)
        return found[1] if found else None


class Pager:
    """The webhook receiver in the gateway's namespace; keeps every notification but the watchdog's."""

    def __init__(self):
        self.notes = []
        self.alive = 0  # notifications of the watchdog
        listener = netns.socket_in("gw", socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", WEBHOOK_PORT))
        listener.listen(16)
        pager = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/alive":
                    pager.alive += 1
                else:
                    pager.notes += [Note(alert) for alert in body["alerts"]]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def wait(self, name, status, timeout, **labels):
        """The first notification about this alert in this state with these labels."""
        def find():
            for note in self.notes:
                if note.name == name and note.status == status and labels.items() <= note.labels.items():
                    return note
            return None
        return world.wait_until(find, timeout, f"a notification: {name} {status} {labels}")
