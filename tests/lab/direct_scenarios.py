"""Direct mode: the agent itself tells a real Alertmanager, and what it tells survives an Alertmanager that is away."""
from . import monitoring, world
from .agent import MANSION, Home
from .registry import expect, scenario

URL = "http://127.0.0.1:9093"
STORAGE = "/run/lab/alertmanager"


def _alertmanager():
    return world.Process("gw", "alertmanager", [
        "prometheus-alertmanager", f"--config.file={monitoring.DEPLOY}/alertmanager/alertmanager.yml",
        "--cluster.listen-address=", f"--storage.path={STORAGE}", "--web.listen-address=127.0.0.1:9093"])


def _reached(value):
    world.wait_until(lambda: world.scrape("gw").value("uplink_exporter_collector_up",
                                                      collector=f"alertmanager:{URL}") == value, 90,
                     f"the collector of the Alertmanager being {value}")


@scenario(480)
def direct_mode():
    """without Prometheus: one page and one resolve, though Alertmanager comes late and is away when the fault ends"""
    home = Home(alertmanagers=[URL])
    pager = monitoring.Pager()
    verdicts = home.healthy()
    _reached(0)
    running = _alertmanager()
    world.wait_until(lambda: pager.alive, 120, "the watchdog coming through once Alertmanager is there")
    _reached(1)

    began = home.fault(home.carrier.no_return, "one_way")
    verdicts.wait(MANSION, "one_way", 30, began)
    note = pager.wait("UplinkUdpOneWay", "firing", 90, uplink=MANSION, severity="critical", verdict="one_way")
    print(f"page {world.now() - began:.1f} s after the fault: {note.summary} / {note.description}")
    expect("no longer come back" in note.description and note.remedy(), f"the page has no cause or remedy: {note.description}")

    running.stop()
    home.carrier.normal()
    verdicts.wait(MANSION, "healthy", 120)
    _reached(0)
    running = _alertmanager()
    over = world.now()
    pager.wait("UplinkUdpOneWay", "resolved", 240, uplink=MANSION)  # the rule keeps firing for 2 min
    print(f"resolved {world.now() - over:.1f} s after Alertmanager came back")
    told = [(n.name, n.status) for n in pager.notes]
    expect(sorted(told) == [("UplinkUdpOneWay", "firing"), ("UplinkUdpOneWay", "resolved")], f"told: {told}")
    home.done()
