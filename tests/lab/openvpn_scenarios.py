"""What the agent says of a real OpenVPN client and server, from each of their sources."""
import glob
import json
import os
import re
import signal
import subprocess
import time

from . import netns, openvpn, topology, world
from .agent import Home
from .registry import expect, scenario

RESTART = 8  # seconds, the client's ping-restart
NAT = 4  # what the carrier still lets back in after a flow began


def _tunnel(client="", server="", entries=None, restart=RESTART):
    home = Home(openvpn=entries or [{"name": "cloud", "log": openvpn.CLIENT_LOG}])
    openvpn.make_certificates()
    openvpn.start_server(restart=restart, more=server)
    home.client = openvpn.start_client(client)
    home.client.must_live()
    world.wait_until(openvpn.reaches_home, 30, "the tunnel")
    home.start_agent()
    return home


def _diagnosis(tunnel="cloud"):
    """The one whose series is 1."""
    told = [labels["diagnosis"] for labels, value in world.scrape("gw").all("openvpn_diagnosis", tunnel=tunnel) if value == 1]
    expect(len(told) == 1, f"openvpn_diagnosis is {told}")
    return told[0]


@scenario(150)
def openvpn_loop_is_diagnosed():
    """a one-way carrier under a tunnel: one_way_loop within three loop periods and 5 s, and it stays"""
    home = _tunnel()
    world.wait_until(lambda: _diagnosis() == "healthy", 2 * RESTART + 10, "a healthy tunnel")
    home.carrier.one_way_after(NAT)
    began = world.now()
    world.wait_until(lambda: _diagnosis() == "one_way_loop", 90, "one_way_loop")
    took, restarts = world.now() - began, openvpn.restarts()
    print(f"one_way_loop {took:.1f} s after the fault, {restarts} restarts")
    # A period is the NAT's lifetime, the keepalive's limit, the pause before the next attempt and its handshake.
    expect(took <= 3 * (NAT + RESTART + 2) + 5, f"one_way_loop took {took:.1f} s")
    expect(restarts <= 3, f"{restarts} restarts before it was told")
    while openvpn.restarts() < restarts + 1:  # through the next session's whole life
        expect(_diagnosis() == "one_way_loop", f"it turned to {_diagnosis()}")
        time.sleep(0.5)
    home.done()


@scenario(120)
def openvpn_soft_resets_are_healthy():
    """a tunnel that renegotiates its keys every few seconds: soft resets are counted, no reconnect, and it stays healthy"""
    home = _tunnel("reneg-sec 6\n")
    world.wait_until(lambda: _diagnosis() == "healthy", 2 * RESTART + 10, "a healthy tunnel")
    world.wait_until(lambda: world.scrape("gw").value("openvpn_soft_resets_total", tunnel="cloud") >= 3, 60, "three soft resets")
    expect(_diagnosis() == "healthy", f"it is {_diagnosis()}")
    expect(world.scrape("gw").sum("openvpn_reconnects_total", tunnel="cloud") == 0, "a reconnect was counted")
    home.done()


@scenario(120)
def openvpn_server_death_is_no_loop():
    """the server's process dies: its port is closed, so it is the server, and never a loop of the carrier's"""
    home = _tunnel()
    world.wait_until(lambda: _diagnosis() == "healthy", 2 * RESTART + 10, "a healthy tunnel")
    openvpn.kill_server()
    seen = set()

    def told():
        seen.add(_diagnosis())
        return "server_restart" in seen

    world.wait_until(told, 60, "server_restart")
    expect(not seen & {"one_way_loop", "no_return"}, f"it was {seen}")
    expect(re.search(r"Connection refused", openvpn.client_log()), "the real client did not see the closed port")
    home.done()


CLIENT_SOURCES = {"name": "cloud", "log": openvpn.CLIENT_LOG, "status": openvpn.CLIENT_STATUS,
                  "management": f"unix:{openvpn.CLIENT_SOCKET}"}
SERVER_SOURCES = {"name": "server", "log": openvpn.SERVER_LOG, "status": openvpn.SERVER_STATUS,
                  "management": f"unix:{openvpn.SERVER_SOCKET}", "clients": {"series": 5}}
CLIENT_TELLS = f"status {openvpn.CLIENT_STATUS} 1\nmanagement {openvpn.CLIENT_SOCKET} unix\n"
SERVER_TELLS = f"status {openvpn.SERVER_STATUS} 1\nstatus-version 3\nmanagement {openvpn.SERVER_SOCKET} unix\n"


@scenario(150)
def openvpn_sources_agree():
    """log, status file and management of a client and of its server: what all of them tell is counted once"""
    home = _tunnel(CLIENT_TELLS, SERVER_TELLS, [CLIENT_SOURCES, SERVER_SOURCES])

    def settled():
        page = world.scrape("gw")
        return page.sum("openvpn_source_up") == 6 and page.value("openvpn_server_connected_clients", tunnel="server") == 1

    world.wait_until(settled, 30, "all sources and the one client")
    before = world.scrape("gw")
    expect(before.sum("openvpn_reconnects_total") == 0, "what was before the agent began was counted")
    home.client.signal(signal.SIGUSR1)
    world.wait_until(lambda: world.scrape("gw").sum("openvpn_reconnects_total", tunnel="server") >= 1, 30, "the return")
    world.wait_until(lambda: _diagnosis() == "healthy", 3 * RESTART + 20, "a healthy tunnel")
    page = world.scrape("gw")
    expect(page.sum("openvpn_reconnects_total", tunnel="cloud") == 1, "the client's restart is not one")
    expect(page.value("openvpn_reconnects_total", tunnel="cloud", reason="signal", **{"from": "connected"}) == 1, "its reason")
    expect(page.value("openvpn_reconnects_total", tunnel="server", reason="new_session", **{"from": "other"}) == 1, "the return is not one")
    expect(page.value("openvpn_handshakes_completed_total", tunnel="cloud") == 1, "one handshake")
    expect(page.value("openvpn_server_client_arrivals_total", tunnel="server", common_name="clientname") == 1, "one arrival")
    expect(page.value("openvpn_server_client_endpoint_changes_total", tunnel="server", common_name="clientname") == 1, "one new port")
    expect(page.value("openvpn_server_client_sessions", tunnel="server", common_name="clientname") == 1, "one session")
    for tunnel in ("cloud", "server"):
        expect(page.value("openvpn_received_bytes_total", tunnel=tunnel) > 0, f"{tunnel} received nothing")
    heard = page.value("openvpn_last_received_timestamp_seconds", tunnel="cloud")
    expect(abs(heard - time.time()) < 30, f"last received {heard}")
    world.wait_until(lambda: _diagnosis("server") == "healthy", 2 * RESTART + 20, "a server whose client stays")
    openvpn.kill_server()
    world.wait_until(lambda: _diagnosis("server") == "disconnected", 60, "that the server's process is gone")
    home.done()


@scenario(200)
def openvpn_loop_is_diagnosed_by_counters():
    """the same carrier, with the management socket: silence within three pings, and the loop in the next session"""
    restart = 20
    home = _tunnel(CLIENT_TELLS, "", [CLIENT_SOURCES], restart)
    world.wait_until(lambda: _diagnosis() == "healthy", 2 * restart + 20, "a healthy tunnel")
    home.carrier.one_way_after(NAT)
    began = world.now()
    world.wait_until(lambda: _diagnosis() == "no_return", 30, "no_return")
    silent = time.time() - world.scrape("gw").value("openvpn_last_received_timestamp_seconds", tunnel="cloud")
    world.wait_until(lambda: _diagnosis() == "one_way_loop", 60, "one_way_loop")
    loop, restarts = world.now() - began, openvpn.restarts()
    print(f"no_return {silent:.1f} s after the last packet, one_way_loop {loop:.1f} s after the fault, {restarts} restarts")
    # Three pings of 2 s, and a second each for the counters, the poll and the scrape.
    expect(silent <= 3 * 2 + 4, f"no_return took {silent:.1f} s")
    # The first session's end, the pause, the next one's handshake, and as long as the carrier lets it hear.
    expect(loop <= NAT + restart + 3 + NAT + 3 * 2 + 3 and restarts == 1, f"one_way_loop took {loop:.1f} s, {restarts} restarts")
    while openvpn.restarts() < restarts + 1:
        expect(_diagnosis() == "one_way_loop", f"it turned to {_diagnosis()}")
        time.sleep(0.5)
    home.done()


@scenario(120)
def openvpn_refused_credentials():
    """a password that the server refuses again and again: auth_failure on both sides, never a loop of the carrier's"""
    home = Home(openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG}, {"name": "server", "log": openvpn.SERVER_LOG}])
    openvpn.make_certificates()
    with open(f"{openvpn.HOME}/password", "w") as file:
        file.write("name\nwrong\n")
    openvpn.start_server(restart=RESTART, more="script-security 2\nauth-user-pass-verify /bin/false via-file\n")
    home.start_agent()
    openvpn.start_client(f"auth-user-pass {openvpn.HOME}/password\nauth-retry nointeract\n")
    seen = {"cloud": set(), "server": set()}

    def both():
        for tunnel, told in seen.items():
            told.add(_diagnosis(tunnel))
        return all("auth_failure" in told for told in seen.values())

    world.wait_until(both, 90, "auth_failure on both sides")
    for tunnel, told in seen.items():
        expect(not told & {"one_way_loop", "no_return", "shared_common_name"}, f"{tunnel} was {told}")
    home.done()


@scenario(150)
def openvpn_shared_common_name():
    """two clients with one certificate throw each other out: shared_common_name on the server; the client alone cannot know, and never says one_way_loop, with its counters neither"""
    tunnels = [{"name": "cloud", "log": openvpn.CLIENT_LOG}, {"name": "server", "log": openvpn.SERVER_LOG},
               {**CLIENT_SOURCES, "name": "counters"}]
    home = _tunnel(CLIENT_TELLS, "", tunnels)
    openvpn.start_client(where="cloud2", log=f"{openvpn.HOME}/second.log")
    seen = {tunnel["name"]: set() for tunnel in tunnels}

    def told():
        for tunnel, kinds in seen.items():
            kinds.add(_diagnosis(tunnel))
        return "shared_common_name" in seen["server"] and openvpn.restarts() >= 5

    world.wait_until(told, 120, f"shared_common_name, got {seen}")
    for tunnel, kinds in seen.items():
        expect("one_way_loop" not in kinds, f"{tunnel} was {kinds}")
    home.done()


def _mismatch(ping, restart, client, *tellers):
    """A tunnel whose two ends do not agree on the keepalive is told as that by `tellers`, and as no loop by anybody."""
    home = Home(openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG}, {"name": "server", "log": openvpn.SERVER_LOG},
                         {**CLIENT_SOURCES, "name": "counters"}])
    openvpn.make_certificates()
    openvpn.start_server(ping, restart)
    home.start_agent()
    openvpn.start_client(f"{CLIENT_TELLS}{client}").must_live()
    seen = {"cloud": set(), "server": set(), "counters": set()}

    def told():
        for tunnel, kinds in seen.items():
            kinds.add(_diagnosis(tunnel))
        return all("keepalive_mismatch" in seen[tunnel] for tunnel in tellers)

    world.wait_until(told, 90, f"keepalive_mismatch from {tellers}, got {seen}")
    for tunnel, kinds in seen.items():
        expect(not kinds & {"one_way_loop", "no_return", "shared_common_name"}, f"{tunnel} was {kinds}")
    home.done()


@scenario(120)
def openvpn_keepalive_missing():
    """a server that never pings and a client that restarts when it hears nothing: keepalive_mismatch on both sides, never a loop of the carrier's"""
    _mismatch(0, 0, f"ping 2\nping-restart {RESTART}\n", "cloud", "counters", "server")


@scenario(120)
def openvpn_keepalive_too_slow():
    """a server that pings more rarely than its client's limit allows: keepalive_mismatch on the client; the server cannot know that limit"""
    _mismatch(20, 60, f'pull-filter ignore "ping-restart"\nping-restart {RESTART}\n', "cloud", "counters")


@scenario(120)
def openvpn_fixed_port():
    """a client that always comes from one port: its returns are counted on the server, and are no endpoint change"""
    home = Home(openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG}, {"name": "server", "log": openvpn.SERVER_LOG}])
    openvpn.make_certificates()
    openvpn.start_server(restart=60)
    client = openvpn.start_client(port=5001)
    world.wait_until(lambda: openvpn.connects() == 1, 30, "the tunnel")
    home.start_agent()
    world.wait_until(lambda: world.scrape("gw").sum("openvpn_source_up") == 2, 15, "both logs")
    for n in (1, 2):
        client.signal(signal.SIGUSR1)
        world.wait_until(lambda: openvpn.connects() == n + 1, 60, f"the client's return {n}")
        world.wait_until(lambda: world.scrape("gw").sum("openvpn_reconnects_total", tunnel="server") == n, 60, f"return {n}")
    page = world.scrape("gw")
    expect(page.value("openvpn_endpoint_changes_total", tunnel="server") == 0, "an endpoint change was counted")
    expect(page.value("openvpn_reconnects_total", tunnel="cloud", reason="signal", **{"from": "connected"}) == 2, "the client's own count")
    expect(len(openvpn.arrivals()) == 1, "the server took them for new connections, so this shows nothing")
    home.done()


@scenario(60)
def openvpn_wrong_reply_source():
    """a server with two addresses that answers from the one that was not asked: wrong_reply_source"""
    log = f"{openvpn.HOME}/second.log"
    home = Home(openvpn=[{"name": "second", "log": log}])
    other = topology.CLOUD.rsplit(".", 1)[0] + ".45"
    netns.ip("cloud", f"addr add {other}/24 dev eth0")
    openvpn.make_certificates()
    openvpn.start_server(restart=RESTART)
    home.start_agent()
    openvpn.start_client(where="cloud2", log=log, server=other)
    world.wait_until(lambda: _diagnosis("second") == "wrong_reply_source", 30, "wrong_reply_source")
    home.done()


@scenario(60)
def openvpn_hostile_log():
    """a common name of 64 KiB, escapes, quotes, a thousand made-up clients: the page stays well-formed and its series bounded"""
    home = Home(reflector=False, openvpn=[{"name": "server", "log": openvpn.SERVER_LOG, "clients": {"series": 20}}])
    openvpn.make_certificates()
    line = "2026-11-24 10:00:00 192.0.2.7:40000 [{}] Peer Connection Initiated with [AF_INET]192.0.2.7:40000\n"
    names = ['a"b\\', "\x1b[31mred", "tab\tname", "", "{evil=\"1\"}", "x" * 65_000, "\ufffd", "_others",
             *(f"client{n}" for n in range(1000))]
    home.start_agent()
    world.wait_until(lambda: world.scrape("gw").value("openvpn_source_errors_total", tunnel="server", source="log", reason="missing") == 1,
                     15, "that there is no log yet: what comes then is new")
    with open(openvpn.SERVER_LOG, "w", encoding="utf-8") as log:
        for name in names:
            log.write(line.format(name))
        log.flush()
        log.buffer.write(line.encode().replace(b"{}", b"bad\xff\xfe") + b"\0\n" + b"y" * 200_000 + b"\n")
    world.wait_until(lambda: world.scrape("gw").sum("openvpn_server_client_arrivals_total", tunnel="server") >= 1000, 30, "the arrivals")
    text = world.fetch("gw", 10177, "/metrics")[1]
    series = [l for l in text.splitlines() if l.startswith("openvpn_server_client_arrivals_total{")]
    expect(len(series) == 21, f"{len(series)} series")
    if not netns.missing_tools("promtool"):
        check = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        expect("error while linting" not in check.stdout + check.stderr, check.stdout + check.stderr)
    home.done()


@scenario(90)
def openvpn_journal_without_its_library():
    """libsystemd.so.0 is not there: the journal's collector says so and how to get it, nothing else minds, and it is taken once it is there"""
    libraries = {os.path.realpath(path) for path in glob.glob("/usr/lib/*/libsystemd.so.0")}
    open("/run/lab/nothing", "w").close()
    entries = [{"name": "cloud", "log": openvpn.CLIENT_LOG}, {"name": "other", "journal": "openvpn-client@other.service"}]
    home = Home(openvpn=entries)
    openvpn.make_certificates()
    openvpn.start_server(restart=RESTART)
    openvpn.start_client().must_live()
    world.wait_until(openvpn.reaches_home, 30, "the tunnel")
    for library in libraries:  # in this private world only
        netns.run(None, "mount", "--bind", "/run/lab/nothing", library)
    home.healthy()
    world.wait_until(lambda: _diagnosis() == "healthy", 2 * RESTART + 10, "a healthy tunnel")

    page = world.scrape("gw")
    down = [labels["collector"] for labels, up in page.all("uplink_exporter_collector_up") if up == 0]
    expect("openvpn:other:journal" in down and not [name for name in down if name.startswith("openvpn:cloud")], f"{down} are down")
    expect(page.value("openvpn_source_errors_total", tunnel="other", source="journal", reason="unsupported") == 1, "not counted as one trouble")
    told = [line for line in home.agent.output().splitlines() if "libsystemd" in line]
    expect(len(told) == 1 and "OPENVPN_JOURNAL_UNREADABLE" in told[0] and "install libsystemd0" in told[0], f"{told}")
    collectors = json.loads(world.fetch("gw", 10177, "/api/v1/status")[1])["collectors"]
    remedies = [c["remedy"] for c in collectors if c["name"] == "openvpn:other:journal"]
    expect("install libsystemd0" in remedies[0] and remedies[0] in world.fetch("gw", 10177, "/")[1], f"{remedies}")

    for library in libraries:
        netns.run(None, "nsenter", "-t", str(home.agent.popen.pid), "-m", "umount", library)
    world.wait_until(lambda: "libsystemd" not in world.fetch("gw", 10177, "/api/v1/status")[1], 20, "that the library is found")
    expect(_diagnosis() == "healthy", f"the tunnel is {_diagnosis()}")
    home.verdicts.only("mansion", "unknown", "healthy")
    home.done()
