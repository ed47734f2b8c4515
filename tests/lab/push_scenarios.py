"""Gateways that nobody can reach push: Prometheus in agent mode on the gateway, a central one, and one above that."""
import time

from . import monitoring, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

CENTRAL = ("cloud2", 9090)
ABOVE = ("cloud2", 9092)
EVERY = 2  # s between scrapes
OUTAGE = 180
SCRAPES = "prometheus_target_interval_length_seconds_count"  # of the sender
PUSHED = '{job="uplink_exporter",instance="gateway-1"}'


def _ask(expression, where=CENTRAL, at=None):
    return monitoring.value(expression, *where, at=at)


def _age():
    """Seconds since the newest sample that the central Prometheus has of the gateway; infinite while it has none."""
    newest = _ask(f"time() - max(timestamp(up{PUSHED}))")
    return float("inf") if newest is None else newest


def _raise():
    """Sender on the gateway, receiver and federation in the cloud; all three from the shipped examples."""
    home = Home(uplinks=[{"name": MANSION, "interface": "eth2", "labels": {"carrier": "mansion-isp", "asn": "64500"}},
                         {"name": FIVE_G, "interface": "eth1", "gateway": topology.ROUTER_5G}])
    quick = ("scrape_interval: 15s", f"scrape_interval: {EVERY}s")
    monitoring.copy_rules("/run/lab/rules")
    central = monitoring.copy_config("central.yml", "/run/lab/central.yml", rules=("../../rules/", "/run/lab/rules/"),
                                     often=("evaluation_interval: 30s", "evaluation_interval: 5s"))
    monitoring.prometheus("cloud2", "central", central, CENTRAL[1], "--web.enable-remote-write-receiver", address="0.0.0.0")
    above = monitoring.copy_config("federation.yml", "/run/lab/federation.yml", often=("scrape_interval: 60s", "scrape_interval: 5s"))
    monitoring.prometheus("cloud2", "above", above, ABOVE[1])
    sender = monitoring.copy_config("agent.yml", "/run/lab/sender.yml", often=quick,
                                    url=("https://prometheus.example.net/", f"http://{topology.CLOUD2}:{CENTRAL[1]}/"))
    monitoring.prometheus("gw", "sender", sender, 9090, agent=True)
    return home


def _sender(metric):
    return world.scrape("gw", 9090).sum(metric)


@scenario(600)
def nothing_pushed_is_lost():
    """pushed through a one-way uplink without delay; after an outage of 3 minutes every sample is there, and federated"""
    home = _raise()
    verdicts = home.healthy()
    world.wait_until(lambda: _age() < 10, 60, "samples at the central Prometheus")
    began, scrapes = time.time(), _sender(SCRAPES)
    verdicts.wait(MANSION, "one_way", 60, home.fault(lambda: home.carrier.one_way_after(4), "one_way", age=4))
    monitoring.wait_for(f'uplink_verdict{{uplink="{MANSION}",verdict="one_way",instance="gateway-1"}} == 1', 30, *CENTRAL)
    monitoring.wait_for('ALERTS{alertname="UplinkUdpOneWay",alertstate="firing",carrier="mansion-isp"}', 90, *CENTRAL)
    expect(_age() < 10, f"the newest sample is {_age():.0f} s old although TCP passes the one-way uplink")
    print(f"one-way: the central Prometheus alerts, its newest sample is {_age():.1f} s old")
    monitoring.wait_for('carrier:uplink_verdict:count{carrier="mansion-isp",verdict="one_way"} == 1', 60, *ABOVE)
    monitoring.wait_for('ALERTS{alertname="UplinkUdpOneWay",instance="gateway-1",job="uplink_exporter"}', 60, *ABOVE)
    expect(not monitoring.query('{__name__="uplink_verdict"}', *ABOVE), "the federation fetches single gateways")
    federated = _ask('count({__name__=~"carrier:.+|ALERTS"})', ABOVE)
    print(f"federated: {federated:.0f} series")

    home.fault(home.carrier.outage, "down")
    time.sleep(OUTAGE)
    expect(_age() > OUTAGE / 2, f"samples arrived in the outage: the newest is {_age():.0f} s old")
    print(f"outage: the newest sample is {_age():.0f} s old, {_sender('prometheus_remote_storage_samples_pending'):.0f} wait")
    home.carrier.normal()
    since = world.now()
    world.wait_until(lambda: _age() < 10, 90, "the central Prometheus catching up")
    print(f"caught up {world.now() - since:.0f} s after the outage")

    # The window is closed before it is looked at, so that nothing of it is still under way.
    end, scrapes = time.time(), _sender(SCRAPES) - scrapes
    time.sleep(15)
    window = f"[{end - began:.0f}s]"
    scraped = _ask(f"sum(sum_over_time(scrape_samples_scraped{PUSHED}{window}))", at=end)
    arrived = sum(len(series["values"]) for series in monitoring.query(
        '{job="uplink_exporter",instance="gateway-1",__name__!~"up|scrape_.+|ALERTS.*|.+:.+"}' + window, *CENTRAL, at=end))
    times = [float(at) for at, _ in monitoring.query(f"up{PUSHED}{window}", *CENTRAL, at=end)[0]["values"]]
    gap = max(later - earlier for earlier, later in zip(times, times[1:]))
    print(f"{len(times)} of {scrapes:.0f} scrapes arrived, {arrived} of {scraped:.0f} samples, the longest step {gap:.1f} s")
    expect(gap < OUTAGE / 6, f"a step of {gap:.1f} s: scrapes are missing")
    expect(abs(len(times) - scrapes) <= 2, f"{len(times)} of {scrapes:.0f} scrapes arrived")  # those at the edges
    expect(arrived == scraped, f"{scraped - arrived:.0f} of {scraped:.0f} samples are lost")
    for fate in ("failed", "dropped"):
        expect(_sender(f"prometheus_remote_storage_samples_{fate}_total") == 0, f"the sender {fate} samples")
    home.done()
