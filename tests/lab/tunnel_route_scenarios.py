"""Routes into a tunnel that is not connected: traffic into a black hole, with a real OpenVPN."""
import html
import json
import os

from . import netns, openvpn, world
from .agent import Home
from .registry import Skip, expect, scenario


def _shown(metric):
    return world.scrape("gw").value(metric, tunnel="cloud")


def _said():
    """The sentence as /api/v1/status has it, which the page repeats; None: neither says anything."""
    fault = json.loads(world.fetch("gw", 10177, "/api/v1/status")[1])["tunnels"][0]["routes_fault"]
    page = world.fetch("gw", 10177, "/")[1]
    expect((html.escape(fault) in page if fault else "black hole" not in page), f"status says {fault!r}, the page {page}")
    return fault


def _tunnel(before=(), **entry):
    """A tunnel that is up, and the agent; `before` are `ip` commands for the gateway."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("this kernel has no /dev/net/tun")
    home = Home(reflector=False, reflectors=[], openvpn=[{"name": "cloud", "log": openvpn.CLIENT_LOG, **entry}])
    netns.ip("gw", *before)
    openvpn.make_certificates()
    openvpn.start_server()
    home.client = openvpn.start_client()
    home.client.must_live()
    world.wait_until(openvpn.reaches_home, 30, "the tunnel")
    home.start_agent()
    return home


@scenario(120)
def routes_into_a_dead_tunnel():
    """the server dies, persist-tun keeps the routes: told once a reconnect would have been done, and when the tunnel is back"""
    home = _tunnel()
    world.wait_until(lambda: (_shown("uplink_tunnel_routes") or 0) > 0, 10, "the tunnel's own routes")
    before = _shown("uplink_tunnel_routes")
    netns.ip("gw", "route add 10.99.0.0/16 dev tun0")
    world.wait_until(lambda: _shown("uplink_tunnel_routes") == before + 1, 5, "the route that was added")
    netns.ip("gw", "route add 10.98.0.0/16 dev tun0 table 77", "route add 10.97.0.0/16 dev eth2")
    world.wait_until(lambda: _shown("uplink_tunnel_routes") == before + 2, 5, "another table's route, and no other device's")
    expect(_shown("uplink_tunnel_routes_blackholed") == 0, "a living tunnel is called a black hole")
    expect(_said() is None, f"and in words: {_said()}")

    openvpn.kill_server()
    world.wait_until(lambda: _shown("uplink_tunnel_routes_blackholed") == 1, 60, "the black hole")
    told = [line for line in home.agent.output().splitlines() if "TUNNEL_BLACK_HOLE" in line]
    expect(len(told) == 1 and f"{before + 2:g} routes lead" in told[0] and "into tun0" in told[0] and "not connected" in told[0], f"{told}")
    expect(_said() and _said() in told[0], f"{_said()!r} on status and page, in the log {told}")
    openvpn.start_server()
    world.wait_until(lambda: _shown("uplink_tunnel_routes_blackholed") == 0, 60, "the tunnel back")
    expect("TUNNEL_ROUTES_LIVE" in home.agent.output(), "the line that says so")
    expect(_said() is None, f"still said: {_said()}")

    home.client.kill()
    world.wait_until(lambda: _shown("uplink_tunnel_routes") == 0, 10, "the routes that went with the device")
    expect(_shown("uplink_tunnel_routes_blackholed") == 0, "no route is left that could lead anywhere")
    home.done()


@scenario(90)
def routes_into_an_abandoned_device():
    """a device that outlives its OpenVPN: nobody holds it, whatever the log said last"""
    home = _tunnel(["tuntap add dev tun0 mode tun"], device="tun0")
    world.wait_until(lambda: (_shown("uplink_tunnel_routes") or 0) > 0, 10, "the tunnel's own routes")
    home.client.kill()
    netns.ip("gw", "route replace 10.99.0.0/16 dev tun0")
    world.wait_until(lambda: _shown("uplink_tunnel_routes_blackholed") == 1, 20, "the black hole")
    expect("no process holds that device" in home.agent.output(), "the sentence")
    netns.ip("gw", "link set tun0 down")
    world.wait_until(lambda: _shown("uplink_tunnel_routes_blackholed") == 0, 10, "the remedy: routes gone with the link")
    home.done()
