"""Packets of a tunnel's size: a path that loses them in silence, and one that says what it can carry."""
from . import netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

WIDTH = 1400
LINKS = {"out": ("cgn", "pub"), "back": ("inet", "tocgn")}  # the box whose outgoing link is narrow, by direction


def narrow(*ways, tells):
    """Packets above WIDTH octets do not pass on; whether the router says so is up to `tells`.

    An interface's MTU holds for what it receives from its peer, too; what vanishes in silence does so one way only.
    """
    for way in ways:
        name, interface = LINKS[way]
        if tells:
            netns.ip(name, f"link set {interface} mtu {WIDTH}")
        else:
            netns.run(name, "nft", "-f", "-", stdin=f"""
table ip narrow {{
  chain onward {{ type filter hook forward priority filter; oifname "{interface}" ip length > {WIDTH} drop; }}
}}
""")


def _black_hole(way):
    home = Home(probe={"holds": []})
    verdicts = home.healthy()
    narrow(way, tells=False)
    since = world.now()
    print(f"mtu_blackhole after {verdicts.wait(MANSION, 'mtu_blackhole', 150, since):.1f} s")
    cure = f"mssfix {WIDTH - 28}"
    world.wait_until(lambda: cure.replace('"', "&quot;") in world.fetch("gw", 10177, "/")[1], 60, f"{cure} on the page")
    netns.run(LINKS[way][0], "nft", "delete", "table", "ip", "narrow")
    verdicts.wait(MANSION, "healthy", 120)
    verdicts.only(MANSION, "healthy", "mtu_blackhole", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


@scenario(330)
def mtu_blackhole_on_the_way_out():
    """a link of 1400 octets behind the carrier, without a word: mtu_blackhole, and the mssfix that passes"""
    _black_hole("out")


@scenario(330)
def mtu_blackhole_on_the_way_back():
    """the same for what comes back"""
    _black_hole("back")


@scenario(250)
def healthy_where_the_path_says_its_mtu():
    """narrow both ways, and routers say so: healthy, the word is counted"""
    home = Home(probe={"holds": []})
    narrow("out", "back", tells=True)
    verdicts = home.healthy()
    since = world.now()
    world.wait_until(lambda: home.counters("uplink_udp_icmp_errors_total", type="fragmentation-needed") >= 1, 100,
                     "an ICMP error being counted", every=1)
    world.wait_until(lambda: world.now() - since > 130, 140, "two rounds", every=5)
    for uplink in (MANSION, FIVE_G):
        verdicts.only(uplink, "healthy", since=since)
    home.done()
