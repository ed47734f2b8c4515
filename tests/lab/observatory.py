"""What dashboards need beside the story: a few more agents and a Prometheus of its own, whose data outlives the lab.

Nothing of it runs, and the story is as ever, unless UPLINK_STORY_KEEP names a directory; tests/dashboards/run.sh asks
every query of dashboards/ and rules/ of what is kept there.
"""
import json
import os
import shutil
import socket
import threading

from . import agent, forward, monitoring, netns, openvpn, topology, world

KEEP = os.environ.get("UPLINK_STORY_KEEP")
CARRIER = {"name": agent.MANSION, "interface": "eth2", "labels": {"carrier": "mansion-isp", "asn": "64500"}}
# What stands in for neighbours behind the same carrier. They probe the high port: the story watches flows to the other.
# Their ladders are short, so that one climbs within the story.
LADDER = {"holds": ["1s", "2s", "5s", "10s"], "ladder_interval": "30s"}
NEIGHBOURS = {
    "home-2": (10187, {"uplinks": [CARRIER], "routes": [{"destination": topology.CLOUD, "uplink": agent.MANSION}]}),
    "home-3": (10188, {"uplinks": [CARRIER]}),
}
SERVER = {
    "uplinks": [{"name": "hosting", "interface": "eth0", "labels": {"carrier": "hosting"}}],
    "openvpn": [
        {"name": "server", "log": openvpn.SERVER_LOG, "status": openvpn.SERVER_STATUS, "clients": {"series": 50}}
    ],
}
# Another host there looks at the first through a firewall that forgets a silent flow after 36 s, which its ladder finds
# out. Half a minute is what a tunnel needs: its uplink stays healthy.
FORGETS = 36
BEHIND_FIREWALL = {
    "uplinks": [{"name": "hosting", "interface": "eth0", "labels": {"carrier": "hosting"}}],
    "probe": {"holds": ["1s", "10s", "32s", "40s"], "ladder_interval": "30s"},
}
# (namespace, port there, port on the gateway): as over a management network, Prometheus reaches what is in the cloud.
RELAYS = (("cloud", 10177, 10197), ("cloud", 10178, 10198), ("cloud2", 10177, 10194), ("cloud2", 10178, 10199))
PROMETHEUS_PORT = 9096

_prometheus = None


def server_options():
    """What the OpenVPN server has to be told so that its clients can be counted."""
    return f"status {openvpn.SERVER_STATUS} 5\nstatus-version 3\n" if KEEP else ""


def start():
    """Starts everything; the lab and its OpenVPN stand."""
    if not KEEP:
        return
    _start_agents()
    for relay in RELAYS:
        threading.Thread(target=_relay, args=relay, daemon=True).start()
    targets = {"home-1": 10177, "vpn-server": 10197, "firewalled": 10194, **{name: port for name, (port, _) in NEIGHBOURS.items()}}
    config = {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [f"{monitoring.RULES}/*.rules.yml"],
        "scrape_configs": [
            _job("uplink_exporter", targets),
            _job("uplink_reflector", {"cloud": 10198, "cloud2": 10199}),
        ],
    }
    path = agent.write("/run/lab/observatory.yml", json.dumps(config))
    global _prometheus
    _prometheus = monitoring.prometheus("gw", "observatory", path, PROMETHEUS_PORT)


def keep():
    """The story is over: what was measured is copied to where it outlives the lab."""
    if not KEEP:
        return
    _prometheus.stop()
    shutil.rmtree(KEEP, ignore_errors=True)
    shutil.copytree("/run/lab/observatory", KEEP, ignore=shutil.ignore_patterns("lock"))


def _start_agents():
    agent.start_reflector("cloud2")
    near = {
        "witnesses": [],
        "probe": LADDER,
        "reflectors": [agent.reflector_entry("cloud", topology.CLOUD, agent.HIGH_PORT)],
    }
    for name, (port, config) in NEIGHBOURS.items():
        _agent("gw", name, port, {**near, **config})
    far = {"witnesses": [], "probe": LADDER, "reflectors": [agent.reflector_entry("cloud2", topology.CLOUD2)]}
    _agent("cloud", "vpn-server", 10177, {**far, **SERVER})
    _firewall()
    back = {"witnesses": [], "reflectors": [agent.reflector_entry("cloud", topology.CLOUD)]}
    _agent("cloud2", "firewalled", 10177, {**back, **BEHIND_FIREWALL})


def _firewall():
    netns.run("inet", "nft", "-f", "-", stdin=f"""
table ip firewall {{
  ct timeout brief {{ protocol udp; l3proto ip; policy = {{ unreplied : {FORGETS}, replied : {FORGETS} }}; }}
  chain early {{
    type filter hook prerouting priority mangle;
    ip saddr {topology.CLOUD2} ip daddr {topology.CLOUD} ip protocol udp ct timeout set "brief"
  }}
  chain onward {{
    type filter hook forward priority filter;
    ip saddr {topology.CLOUD} udp sport {agent.PORT} ip daddr {topology.CLOUD2} ct state new drop
  }}
}}
""")


def _agent(where, name, port, config):
    path = agent.write(f"/run/lab/{name}.yml", json.dumps(config))
    world.Process(
        where,
        name,
        [agent.program("uplink_exporter"), "--config.file", path, "--web.listen-address", f"127.0.0.1:{port}"],
    )


def _job(name, targets):
    return {
        "job_name": name,
        "static_configs": [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": instance}} for instance, port in targets.items()
        ],
    }


def _relay(where, port, near_port):
    listener = netns.socket_in("gw", socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", near_port))
    listener.listen(8)
    while True:
        near = listener.accept()[0]
        threading.Thread(target=forward.join, args=(near, where, port), daemon=True).start()
