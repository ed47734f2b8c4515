"""Who is woken, by what, and how often: the agent, the rules, Prometheus and Alertmanager together. The story of the
one-way NAT is story.py."""
import json
import time

from . import monitoring, netns, openvpn, topology, world
from .agent import FIVE_G, MANSION
from .household import Household
from .registry import expect, scenario


@scenario(300)
def page_of_an_outage():
    """a clean carrier outage: one page that says so and nothing of a one-way NAT, and one resolve"""
    house = Household(keep_firing_for=0.125).healthy()
    house.carrier.outage()
    fault = world.now()
    page = house.pager.wait("UplinkDown", "firing", 150, uplink=MANSION)
    print(house.times(fault, "down", "UplinkDown", page))
    print(page.description)
    expect("link up: the carrier or the router is out" in page.description, "the page does not tell an outage from a dead link")
    expect("This is no one-way NAT" in page.description, "the page does not tell it from a one-way NAT")
    expect(page.remedy() == f"ip route add VPN-SERVER/32 via {topology.ROUTER_5G} dev eth1", f"wrong remedy: {page.remedy()}")
    # The tunnel is dead for long enough to be an alert of its own, which waits behind its cause.
    monitoring.wait_for('ALERTS{alertname=~"UplinkOpenvpn.+",alertstate="firing",tunnel="cloud"}', 270)
    house.carrier.normal()
    since = world.now()
    resolved = house.pager.wait("UplinkDown", "resolved", 180, uplink=MANSION)
    print(f"resolved {resolved.at - since:.0f} s after the repair")
    world.wait_until(openvpn.reaches_home, 60, "the tunnel standing again")
    time.sleep(15)
    house.one_page("UplinkDown", uplink=MANSION)
    house.verdicts.only(FIVE_G, "healthy", since=fault)
    house.done()


@scenario(420)
def no_page_in_a_healthy_day():
    """soft resets and 10 % loss, with every duration of the rules a tenth: a ticket about the loss, and no page"""
    house = Household(more_config='probe: {interval: 250ms}\n', more_openvpn="reneg-sec 12\n", **{"for": 0.1, "keep_firing_for": 0.1})
    house.healthy()
    resets = world.scrape("gw").value("openvpn_soft_resets_total", tunnel="cloud") or 0
    house.carrier.loss(10, 10)
    house.verdicts.wait(MANSION, "lossy", 150)
    ticket = house.pager.wait("UplinkLossHigh", "firing", 200, uplink=MANSION)
    print(ticket.description)
    expect("on the way out" in ticket.description and "on the way back" in ticket.description, "the ticket names no direction")
    time.sleep(45)
    resets = world.scrape("gw").value("openvpn_soft_resets_total", tunnel="cloud") - resets
    expect(resets >= 3, f"only {resets} soft resets")
    expect(not house.pager.pages(), f"somebody was woken: {house.pager.pages()}")
    expect({note.name for note in house.pager.tickets()} == {"UplinkLossHigh"}, f"other tickets: {house.pager.tickets()}")
    print(f"{resets:.0f} soft resets, {openvpn.restarts()} restarts, {house.pager.alive} signs of life, no page")
    house.done()


GW = {"job": "uplink_exporter", "instance": "gw"}
LINE, OTHER = {**GW, "uplink": MANSION}, {**GW, "uplink": FIVE_G}
TUNNEL = {**GW, "tunnel": "cloud"}
ISP = {"carrier": "isp", "asn": "64500"}
# (cause, effects that wait behind it, what does not); each alert is its name's suffix and its labels.
INHIBITION = (
    (("Down", "critical", LINE),
     [("LossHigh", "warning", LINE), ("MappingShort", "warning", LINE), ("RouteMismatch", "warning", {**LINE, "destination": "a"})],
     [("LossHigh", "warning", OTHER), ("ConntrackNearlyFull", "warning", GW),
      ("OpenvpnDisconnected", "critical", TUNNEL)]),
    (("FaultFresh", "none", GW),
     [(f"Openvpn{name}", "critical", TUNNEL) for name in ("ReconnectLoop", "OneWayLoop", "Disconnected")] +
     [("OpenvpnHandshakeFailing", "warning", TUNNEL)],
     [("OpenvpnDisconnected", "critical", {**TUNNEL, "instance": "other"}), ("UdpOneWay", "critical", LINE),
      ("OpenvpnAuthFailure", "critical", TUNNEL)]),
    (("CarrierOneWay", "critical", ISP),
     [("UdpOneWay", "critical", {**LINE, **ISP}), ("UdpOneWay", "critical", {**LINE, **ISP, "instance": "gw2"})],
     [("UdpOneWay", "critical", LINE), ("UdpOneWay", "critical", {**LINE, "carrier": "other", "asn": "1"}),
      ("Down", "critical", {**LINE, **ISP})]),
    # A carrier without a number: the label is missing on both sides, and the carrier still has to be the same.
    (("CarrierOneWay", "critical", {"carrier": "isp"}),
     [("UdpOneWay", "critical", {**LINE, "carrier": "isp"})],
     [("UdpOneWay", "critical", LINE), ("UdpOneWay", "critical", {**LINE, "carrier": "other"}), ("UdpOneWay", "critical", {**LINE, **ISP})]),
    (("LocalFault", "critical", LINE),
     [("Down", "critical", LINE), ("UdpBlocked", "critical", LINE)], [("Down", "critical", OTHER), ("RouteMissing", "critical", LINE)]),
    (("UdpOneWay", "critical", LINE),
     [("LossHigh", "warning", LINE), ("NewFlowsBlocked", "warning", LINE)],
     [("LossHigh", "warning", OTHER), ("OpenvpnReconnectLoop", "critical", TUNNEL)]),
    (("ExporterSilent", "warning", GW),
     [("ExporterCollectorDown", "warning", {**GW, "collector": "a"}), ("LossHigh", "warning", LINE)],
     [("UdpOneWay", "critical", LINE), ("ExporterSilent", "warning", {**GW, "instance": "gw2"}), ("RulesIncomplete", "warning", {}),
      ("Watchdog", "none", {})]),
    (("OpenvpnReconnectLoop", "critical", TUNNEL),
     [("OpenvpnOneWayLoop", "critical", TUNNEL), ("OpenvpnDisconnected", "critical", TUNNEL)],
     [("OpenvpnDisconnected", "critical", {**TUNNEL, "tunnel": "other"}), ("UdpOneWay", "critical", LINE)]),
    (("OpenvpnWrongReplySource", "critical", TUNNEL),
     [("OpenvpnReconnectLoop", "critical", TUNNEL), ("OpenvpnHandshakeFailing", "warning", TUNNEL)],
     [("OpenvpnDisconnected", "critical", {**TUNNEL, "tunnel": "other"})]),
)


def _labels(alert):
    suffix, severity, labels = alert
    return {"alertname": "Uplink" + suffix, "severity": severity, **labels}


def _states():
    """Alerts that the real Alertmanager holds, as {labels: names of the alerts that inhibit them}."""
    alerts = json.loads(world.fetch("gw", 9093, "/api/v2/alerts", timeout=10)[1])
    names = {alert["fingerprint"]: alert["labels"]["alertname"] for alert in alerts}
    return {frozenset(alert["labels"].items()): [names.get(f, f) for f in alert["status"]["inhibitedBy"]] for alert in alerts}


@scenario(150)
def effects_wait_behind_their_cause():
    """the real Alertmanager inhibits effects by causes of the same uplink, tunnel, gateway or carrier, and nothing else"""
    netns.ip(None, "netns add gw")
    netns.ip("gw", "link set lo up")
    pager = monitoring.Pager()
    for number, (cause, effects, others) in enumerate(INHIBITION):
        process = world.Process("gw", f"alertmanager-{number}", [
            "prometheus-alertmanager", f"--config.file={monitoring.DEPLOY}/alertmanager/alertmanager.yml", "--cluster.listen-address=",
            f"--storage.path=/run/lab/alertmanager-{number}", "--web.listen-address=127.0.0.1:9093", "--log.level=warn"])
        world.wait_until(lambda: monitoring.answers("gw", 9093), 30, "Alertmanager being ready")
        alerts = [_labels(alert) for alert in (cause, *effects, *others)]
        body = json.dumps([{"labels": labels, "annotations": {}} for labels in alerts])
        status, text = world.fetch("gw", 9093, "/api/v2/alerts", "POST", body, {"Content-Type": "application/json"}, timeout=10)
        expect(status == 200, f"Alertmanager refused the alerts: {text}")
        # It works out what inhibits what when it notifies.
        held = [frozenset(_labels(alert).items()) for alert in effects]
        told = [frozenset(_labels(alert).items()) for alert in others]
        name = _labels(cause)["alertname"]
        world.wait_until(lambda: process.must_live() or all(name in _states().get(labels, ()) for labels in held), 45,
                         f"{name} holding back {effects}; it has {_states()}")
        wrong = {labels: by for labels, by in _states().items() if labels in told and name in by}
        expect(not wrong, f"{name} also holds back {wrong}")
        print(f"{name} holds back {len(held)} and leaves {len(told)} alone")
        process.kill()
        world.Process.everyone.remove(process)
    expect(not [page for page in pager.pages() if page.labels["severity"] != "critical"], f"a ticket became a page: {pager.pages()}")
