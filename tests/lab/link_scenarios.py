"""The state of an uplink's interface as real `ip` commands change it: flaps, addresses, tables, devices that come and go."""
import fcntl
import os
import select
import struct

from . import agent, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import Skip, expect, scenario


def _value(metric, uplink=FIVE_G, **labels):
    return world.scrape("gw").value(metric, uplink=uplink, **labels)


def _kind(uplink):
    return [labels["kind"] for labels, value in world.scrape("gw").all("uplink_address_info", uplink=uplink) if value == 1]


def _tables(uplink):
    return {labels["table"]: value for labels, value in world.scrape("gw").all("uplink_default_route_metric", uplink=uplink)}


def _await(condition, why, timeout=10):
    world.wait_until(condition, timeout, why)


@scenario(60)
def flaps_addresses_and_tables():
    """flaps of switch and carrier are counted, the address's kind follows it, default routes are told by table"""
    home = Home(reflector=False, reflectors=[])
    home.start_agent()
    expect(_kind(MANSION) == ["public"] and _kind(FIVE_G) == ["private"], f"{_kind(MANSION)}, {_kind(FIVE_G)}")
    expect(_value("uplink_link_changes_total") == 0 and _value("uplink_address_changes_total") == 0, "changes at the start")
    netns.ip("gw", "link set eth1 down", "link set eth1 up")
    _await(lambda: _value("uplink_link_changes_total") == 2, "a flap of the switch within one look")
    for state in ("down", "up"):
        netns.ip("fiveg", f"link set home {state}")
        _await(lambda s=state: _value("uplink_link_up") == (s == "up"), f"the carrier {state}")
    _await(lambda: _value("uplink_link_changes_total") == 4, "a flap of the carrier")
    expect(_value("uplink_link_changes_total", MANSION) == 0, "the other uplink's interface was counted")

    netns.ip("gw", "addr del 192.168.0.2/24 dev eth1", "addr add 100.64.7.2/24 dev eth1")
    _await(lambda: _kind(FIVE_G) == ["shared"], "an address of a carrier's NAT")
    expect(_value("uplink_address_changes_total") == 1, "the change of address")
    netns.ip("gw", "addr del 100.64.7.2/24 dev eth1")
    _await(lambda: _kind(FIVE_G) == [], "no address, no kind")
    netns.ip("gw", "addr add 169.254.3.4/24 dev eth1")
    _await(lambda: _kind(FIVE_G) == ["link_local"], "an address that nobody gave")
    netns.ip("gw", "addr del 169.254.3.4/24 dev eth1", "addr add 192.168.0.2/24 dev eth1")
    _await(lambda: _kind(FIVE_G) == ["private"], "the private address back")

    expect(_tables(MANSION) == {"main": 0} and _tables(FIVE_G) == {}, f"{_tables(MANSION)}, {_tables(FIVE_G)}")
    via = f"default via {topology.ROUTER_5G} dev eth1"
    netns.ip("gw", f"route add {via} metric 50", f"route add {via} metric 20", f"route add {via} table 77 metric 7")
    _await(lambda: _tables(FIVE_G) == {"main": 20, "77": 7}, "the best default route of each table")
    netns.ip("gw", f"route del {via} metric 20", f"route del {via} table 77")
    _await(lambda: _tables(FIVE_G) == {"main": 50}, "what is left of them")
    home.done()


@scenario(90)
def hot_plugged_interfaces():
    """uplinks that nobody configured: one is plugged in, pulled, plugged in again, renamed"""
    home = Home(reflector=False, reflectors=[], uplinks=[])
    home.start_agent()

    def plug(name):
        topology.connect(("gw", name, "10.77.0.2/24"), ("inet", "far", "10.77.0.1/24"))
        netns.ip("gw", f"route add default via 10.77.0.1 dev {name} metric 500")

    def uplinks():
        return {labels["uplink"] for labels, _ in world.scrape("gw").all("uplink_info")}

    expect(uplinks() == {"eth2"}, f"found {uplinks()}: an interface without a default route is none")
    plug("usb0")
    _await(lambda: uplinks() == {"eth2", "usb0"} and _value("uplink_link_up", "usb0") == 1, "the interface that was plugged in")
    topology.remove_interface("gw", "usb0")
    _await(lambda: _value("uplink_link_up", "usb0") == 0, "the interface that was pulled")
    expect(uplinks() == {"eth2", "usb0"}, "it is forgotten while it is down")
    plug("usb0")
    _await(lambda: _value("uplink_link_up", "usb0") == 1, "the interface that is back with another index")
    expect(_value("uplink_link_changes_total", "usb0") == 2, "it went and came")
    netns.ip("gw", "link set usb0 down", "link set usb0 name wwan0", "link set wwan0 up",
             "route add default via 10.77.0.1 dev wwan0 metric 500")
    _await(lambda: _value("uplink_link_up", "usb0") == 0 and _value("uplink_link_up", "wwan0") == 1, "the new name")
    expect(_value("uplink_default_route", "wwan0") == 1, "the renamed interface's default route")

    for i in range(70):
        topology.connect(("gw", f"d{i}", f"10.9.{i}.2/24"), ("inet", f"p{i}", f"10.9.{i}.1/24"))
        netns.ip("gw", f"route add default via 10.9.{i}.1 dev d{i} metric {1000 + i}")
    _await(lambda: len(uplinks()) == 64, "as many as there is room for")
    expect("eth2" in uplinks() and "wwan0" in uplinks() and "usb0" not in uplinks(), f"living ones made room: {uplinks()}")
    home.done()


class PointToPoint:
    """A tun device in the gateway and one in the Internet with a wire between them, as PPP and tunnels have: no gateway."""

    TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000

    def __init__(self, name="ppp7"):
        self.ends = [self._open("gw", name), self._open("inet", "far")]
        netns.ip("gw", f"addr add 10.77.0.2 peer 10.77.0.1 dev {name}", f"link set {name} up")
        netns.ip("inet", "addr add 10.77.0.1 peer 10.77.0.2 dev far", "link set far up")
        self._wire = world.Periodic(0, self._carry)

    def _open(self, namespace, name):
        with netns.entered(namespace):
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, self.TUNSETIFF, struct.pack("16sH22x", name.encode(), self.IFF_TUN | self.IFF_NO_PI))
        return fd

    def _carry(self):
        for fd in select.select(self.ends, [], [], 0.05)[0]:
            try:
                os.write(self.ends[1 - self.ends.index(fd)], os.read(fd, 65536))
            except OSError:  # the far device is switched off
                pass

    def hang_up(self):
        """Both devices are gone."""
        self._wire.stop()
        for fd in self.ends:
            os.close(fd)


@scenario(200)
def a_point_to_point_device_is_dialled_again():
    """a tun device as PPP's: gone, back with the same name, renamed and back; the probes through it go on each time"""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("this kernel has no /dev/net/tun")
    home = Home(uplinks=[agent.UPLINKS[0], {"name": FIVE_G, "interface": "ppp7"}], probe={"holds": []})
    line = PointToPoint()
    verdicts = home.healthy()
    since = world.now()
    line.hang_up()
    verdicts.wait(FIVE_G, "down", 30)
    line = PointToPoint()
    verdicts.wait(FIVE_G, "healthy", 60)
    expect(_value("uplink_link_changes_total") == 2, "it went and came")

    netns.ip("gw", "link set ppp7 down", "link set ppp7 name ppp8", "link set ppp8 up")
    verdicts.wait(FIVE_G, "down", 30)
    expect("interface ppp7 does not exist" in world.fetch("gw", 10177, "/")[1], "the page does not say what is missing")
    netns.ip("gw", "link set ppp8 down", "link set ppp8 name ppp7", "link set ppp7 up")
    verdicts.wait(FIVE_G, "healthy", 60)
    port = home.counters("uplink_udp_replies_received_total", FIVE_G, flow="steady")
    world.wait_until(lambda: home.counters("uplink_udp_replies_received_total", FIVE_G, flow="steady") > port + 2, 15, "replies going on")
    verdicts.only(MANSION, "healthy", since=since)
    line.hang_up()
    home.done()
