#!/usr/bin/python3
"""All rules over a fleet in the real Prometheus: what an evaluation and the series of many gateways cost.

usage: fleet_rules.py [--gateways N] [--interval SECONDS]
Gateways have two uplinks and a tunnel each, behind twenty carriers; first all is quiet, then every gateway of one carrier turns
one-way and its tunnel loops. Everything happens in a network namespace of its own. The last line is `N passed, N failed`.
"""
import argparse
import http.server
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from lab import monitoring, netns, world  # noqa: E402

CARRIERS = 20
TARGETS = 20  # pages that the gateways are spread over
PORT = 9100
EVENT = "isp07"
VERDICTS = ("healthy lossy return_lost one_way stuck_mapping new_flows_blocked udp_blocked mtu_blackhole short_mapping no_return "
            "down local_fault reflector_down unknown").split()
STATES = "connected connecting wait auth reconnecting exiting unknown".split()
DIAGNOSES = ("healthy one_way_loop no_return auth_failure shared_common_name keepalive_mismatch wrong_reply_source "
             "server_restart disconnected unknown").split()
SCOPES = "gateway home carrier beyond unknown".split()
COLLECTORS = "netlink conntrack openvpn:cloud preflight".split()
# By how much counters grow from page to page, which is every 30 s.
SENT, LOST = 60, 30


def _states(metric, labels, of, names, on):
    return [f'{metric}{{{labels},{of}="{name}"}} {int(name == on)}' for name in names]


def _uplink(where, uplink, carrier, verdict, turn):
    u = f'{where},uplink="{uplink}"'
    r = f'{u},reflector="cloud"'
    bad = verdict == "one_way"
    lines = [f'uplink_info{{{u},interface="eth{uplink[-1]}",gateway="192.0.2.1",carrier="{carrier}",asn="645{carrier[-2:]}"}} 1',
             f"uplink_link_up{{{u}}} 1", f"uplink_gateway_reachable{{{u}}} 1", f"uplink_verdict_changes_total{{{u}}} {int(bad)}",
             *_states("uplink_verdict", u, "verdict", VERDICTS, verdict), *_states("uplink_path_verdict", r, "verdict", VERDICTS, verdict),
             *_states("uplink_fault_scope", u, "scope", SCOPES, "carrier" if bad else "unknown")]
    lines += [f'uplink_preflight_ok{{{u},check="{check}"}} 1' for check in ("route", "rp_filter", "output", "input")]
    for flow in ("steady", "fresh"):
        for name, step in (("probes_sent", SENT), ("forward_lost", 0), ("return_lost", LOST if bad else 0), ("unattributed_lost", 0)):
            lines.append(f'uplink_udp_{name}_total{{{r},flow="{flow}"}} {turn * step}')
    return lines + [f'uplink_udp_mapping_lifetime_seconds{{{r},pattern="stream",bound="{bound}"}} 120' for bound in ("lower", "upper")]


def _gateway(number, turn, event):
    where = f'job="uplink_exporter",instance="gw{number:05}"'
    carrier = f"isp{number % CARRIERS:02}"
    bad = event and carrier == EVENT
    t = f'{where},tunnel="cloud"'
    now = int(time.time())
    lines = _uplink(where, "uplink1", carrier, "one_way" if bad else "healthy", turn)
    lines += _uplink(where, "uplink2", f"isp{(number + 1) % CARRIERS:02}", "healthy", turn)
    lines += _states("openvpn_state", t, "state", STATES, "reconnecting" if bad else "connected")
    lines += _states("openvpn_diagnosis", t, "diagnosis", DIAGNOSES, "one_way_loop" if bad else "healthy")
    lines += [f'openvpn_reconnects_total{{{t},reason="{reason}",from="connected"}} {turn if bad and reason == "ping-restart" else 0}'
              for reason in ("ping-restart", "tls-error", "connection-reset")]
    lines += [f"openvpn_handshakes_failed_total{{{t}}} 0", f"openvpn_handshakes_completed_total{{{t}}} {turn}",
              f"openvpn_keepalive_restart_seconds{{{t}}} 60", f"openvpn_last_connected_timestamp_seconds{{{t}}} {now - (5 if bad else 9000)}"]
    lines += [f'uplink_route_match{{{where},destination="203.0.113.10",uplink="uplink2"}} 1',
              f'uplink_route_info{{{where},destination="203.0.113.10",uplink="uplink2",interface="eth2",gateway="",table="main"}} 1',
              f'uplink_route_changes_total{{{where},destination="203.0.113.10"}} 1',
              f"uplink_conntrack_entries{{{where}}} 900", f"uplink_conntrack_entries_limit{{{where}}} 65536",
              f"uplink_exporter_config_last_reload_successful{{{where}}} 1", f"up{{{where}}} 1"]
    for name in COLLECTORS:
        lines += [f'uplink_exporter_collector_up{{{where},collector="{name}"}} 1', f'uplink_exporter_collector_optional{{{where},collector="{name}"}} 0']
    return lines


class Fleet:
    """Serves the fleet's series, a share of its gateways on each page, as a federation would (honor_labels)."""

    def __init__(self, gateways):
        self.gateways, self.event, self.turn, self.pages = gateways, False, 0, {}
        self.render()
        fleet = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                page = fleet.pages[int(self.path.rsplit("/", 1)[1])]
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        listener = netns.socket_in("hub", socket.SOCK_STREAM)
        listener.bind(("127.0.0.1", PORT))
        listener.listen(64)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = listener
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def render(self):
        """The next page of every target; counters have grown."""
        self.turn += 1
        for target in range(TARGETS):
            lines = [line for n in range(target, self.gateways, TARGETS) for line in _gateway(n, self.turn, self.event)]
            self.pages[target] = ("\n".join(lines) + "\n").encode()


def _start(interval):
    config = f"""
global: {{scrape_interval: 30s, scrape_timeout: 29s, evaluation_interval: {interval}s}}
rule_files: [{monitoring.RULES}/*.rules.yml]
scrape_configs:
"""
    for target in range(TARGETS):
        config += f"""  - {{job_name: fleet{target}, honor_labels: true, metrics_path: /{target},
     static_configs: [{{targets: ['127.0.0.1:{PORT}']}}]}}
"""
    with open("/run/lab/fleet.yml", "w") as file:
        file.write(config)
    return monitoring.prometheus("hub", "prometheus", "/run/lab/fleet.yml")


def _one(expression):
    return monitoring.value(expression, "hub")


def inside(options):
    netns.enter()
    netns.ip(None, "netns add hub")
    netns.ip("hub", "link set lo up")
    fleet = Fleet(options.gateways)
    results = []

    def check(holds, text):
        results.append(holds)
        print(("ok   " if holds else "FAIL ") + text, flush=True)

    server = _start(options.interval)
    world.wait_until(lambda: (_one('count(uplink_info)') or 0) == 2 * options.gateways, 600, "every gateway's series", every=2)

    def measure(phase):
        """Several evaluations of each group, of which the middle one counts, and memory."""
        seen = {}
        for _ in range(options.rounds):
            fleet.render()
            time.sleep(30)
            own = world.scrape("hub", 9090)
            for labels, seconds in own.all("prometheus_rule_group_last_duration_seconds"):
                seen.setdefault(labels["rule_group"].rsplit(";", 1)[1], []).append(seconds)
        took = {group: statistics.median(times) for group, times in seen.items()}
        missed, series = own.sum("prometheus_rule_group_iterations_missed_total"), own.value("prometheus_tsdb_head_series")
        firing = _one('count(ALERTS{alertstate="firing"})') or 0
        print(f"{phase}: {series:.0f} series, {firing:.0f} alerts fire, {server.resident() / 2**20:.0f} MiB resident; "
              + ", ".join(f"{group} {seconds:.2f} s" for group, seconds in sorted(took.items(), key=lambda i: -i[1])), flush=True)
        # Groups are evaluated beside each other, the rules of one after each other.
        check(max(took.values()) < options.interval / 2, f"{phase}: the longest group takes {max(took.values()):.2f} s, "
              f"at most half of the {options.interval} s between evaluations")
        check(missed == 0, f"{phase}: {missed:.0f} evaluations were missed, none may be")

    time.sleep(2 * options.interval)  # the first evaluation makes the records' series
    measure("quiet")
    fleet.event = True
    measure("a carrier turns")
    turned = sum(1 for n in range(options.gateways) if n % CARRIERS == int(EVENT[-2:]))
    told = [r["metric"]["carrier"] for r in monitoring.query('ALERTS{alertname="UplinkCarrierOneWay",alertstate="firing"}', "hub")]
    check(told == [EVENT], f"the carrier that is told of is {told}")
    single = _one('count(ALERTS{alertname="UplinkUdpOneWay",alertstate="firing"})')
    check(single == turned, f"{single or 0:.0f} of its {turned} gateways are one-way")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateways", type=int, default=10_000)
    parser.add_argument("--interval", type=int, default=30, help="seconds between evaluations (30, as in central.yml)")
    parser.add_argument("--rounds", type=int, default=4, help="of 30 s in each phase")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return inside(options)
    return subprocess.run(netns.unshare_command(sys.executable, os.path.abspath(__file__), "--inside", *sys.argv[1:])).returncode


if __name__ == "__main__":
    sys.exit(main())
