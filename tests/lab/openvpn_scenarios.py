"""What the agent says of a real OpenVPN client, from its log alone."""
import re
import time

from . import openvpn, world
from .agent import Home
from .registry import expect, scenario

RESTART = 8  # seconds, the client's ping-restart
NAT = 4  # what the carrier still lets back in after a flow began


def _tunnel(client=""):
    home = Home(openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG}])
    openvpn.make_certificates()
    openvpn.start_server(restart=RESTART)
    openvpn.start_client(client).must_live()
    world.wait_until(openvpn.reaches_home, 30, "the tunnel")
    home.start_agent()
    return home


def _diagnosis():
    """The one whose series is 1."""
    told = [labels["diagnosis"] for labels, value in world.scrape("gw").all("openvpn_diagnosis") if value == 1]
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
