"""Who is connected to whom. The gateway's table is the seed's own: its only default route leaves through eth2.

    lan --- br-lan gw eth2 --- cgn (carrier NAT) --- inet --- cloud, cloud2, witness
                      eth1 --- fiveg (5G router) ---/
"""
from . import netns

GATEWAY_CARRIER = "123.45.0.2"
CARRIER = "123.45.0.1"
GATEWAY_5G = "192.168.0.2"
ROUTER_5G = "192.168.0.1"
LAN_HOST = "192.168.10.2"
CLOUD = "111.222.33.44"
CLOUD2 = "111.222.34.55"
WITNESS = "198.18.0.10"
HOME_ROUTER, HOME_ADDRESS, SHARED_CARRIER = "192.168.1.1", "100.64.0.2", "100.64.0.1"  # of add_home_router()
POOL = "198.51.100.1"  # the carrier NAT's public address
NAMESPACES = ("lan", "gw", "cgn", "fiveg", "inet", "cloud", "cloud2", "witness")

# (namespace, interface, address) at both ends of every cable.
LINKS = (
    (("lan", "eth0", LAN_HOST + "/24"), ("gw", "br-lan", "192.168.10.1/24")),
    (("gw", "eth2", GATEWAY_CARRIER + "/21"), ("cgn", "sub", CARRIER + "/21")),
    (("gw", "eth1", GATEWAY_5G + "/24"), ("fiveg", "home", ROUTER_5G + "/24")),
    (("cgn", "pub", "192.0.2.1/24"), ("inet", "tocgn", "192.0.2.254/24")),
    (("fiveg", "wan", "203.0.113.2/24"), ("inet", "tofiveg", "203.0.113.254/24")),
    (("cloud", "eth0", CLOUD + "/24"), ("inet", "tocloud", "111.222.33.1/24")),
    (("cloud2", "eth0", CLOUD2 + "/24"), ("inet", "tocloud2", "111.222.34.1/24")),
    (("witness", "eth0", WITNESS + "/24"), ("inet", "towitness", "198.18.0.1/24")),
)
ROUTES = {
    "lan": ("default via 192.168.10.1",),
    "gw": (f"default via {CARRIER} dev eth2",),
    "cgn": ("default via 192.0.2.254", f"192.168.10.0/24 via {GATEWAY_CARRIER}",
            # A reply that finds no mapping any more vanishes, as at a carrier.
            "blackhole 198.51.100.0/28"),
    "fiveg": ("default via 203.0.113.254", f"192.168.10.0/24 via {GATEWAY_5G}"),
    "inet": ("198.51.100.0/28 via 192.0.2.1",),
    "cloud": ("default via 111.222.33.1",),
    "cloud2": ("default via 111.222.34.1",),
    "witness": ("default via 198.18.0.1",),
}


def build():
    """Raises the whole topology; takes about a second."""
    netns.ip(None, *(f"netns add {name}" for name in NAMESPACES))
    for ends in LINKS:
        connect(*ends)
    for name in NAMESPACES:
        netns.ip(name, "link set lo up", *(f"route add {route}" for route in ROUTES[name]))
    for name in ("gw", "cgn", "fiveg", "inet"):
        netns.sysctl(name, net__ipv4__ip_forward=1)
    # What systemd sets on Debian. Strict filtering would drop every reply on eth1, which has no default route.
    netns.sysctl("gw", net__ipv4__conf__all__rp_filter=2)
    # Routers limit ICMP errors to about one a second; a carrier's are not the lab's subject.
    netns.sysctl("cgn", net__ipv4__icmp_ratelimit=0)
    for name in ("cgn", "fiveg"):
        netns.sysctl(name, net__netfilter__nf_conntrack_acct=1)  # packets per flow, see nat.Nat.flows()


def connect(one, other):
    """Lays a cable between (namespace, interface, address) and another such end, and raises it."""
    netns.ip(None, f"link add {one[1]} netns {one[0]} type veth peer name {other[1]} netns {other[0]}")
    for name, interface, address in (one, other):
        netns.ip(name, f"addr add {address} dev {interface}", f"link set {interface} up")


def default_routes(name):
    """Lines of the main table that are default routes."""
    return netns.run(None, "ip", "-n", name, "-4", "route", "show", "default").splitlines()


def redial_address(address="123.45.1.77"):
    """The carrier hands the gateway a new address on the same interface; every route through it goes and comes."""
    netns.ip("gw", "link set eth2 down", f"addr del {GATEWAY_CARRIER}/21 dev eth2")
    netns.ip("cgn", f"route del 192.168.10.0/24 via {GATEWAY_CARRIER}")
    netns.ip("gw", f"addr add {address}/21 dev eth2", "link set eth2 up", f"route add default via {CARRIER} dev eth2")
    netns.ip("cgn", f"route add 192.168.10.0/24 via {address}")


def redial_shared_address(address="100.64.7.2"):
    """The carrier hands the gateway an address of RFC 6598, which subscribers share."""
    netns.ip("cgn", f"route del 192.168.10.0/24 via {GATEWAY_CARRIER}", "addr add 100.64.0.1/10 dev sub")
    netns.ip("gw", "link set eth2 down", f"addr del {GATEWAY_CARRIER}/21 dev eth2", f"addr add {address}/10 dev eth2",
             "link set eth2 up", "route add default via 100.64.0.1 dev eth2")
    netns.ip("cgn", f"route add 192.168.10.0/24 via {address}")


def add_home_router():
    """A router of the customer's own between the gateway and the carrier, which hands it a shared address: two NATs in series.

        gw eth2 192.168.1.2 --- 192.168.1.1 cpe 100.64.0.2 --- 100.64.0.1 cgn
    """
    remove_interface("gw", "eth2")
    netns.ip(None, "netns add cpe")
    connect(("gw", "eth2", "192.168.1.2/24"), ("cpe", "lan", HOME_ROUTER + "/24"))
    connect(("cpe", "wan", HOME_ADDRESS + "/24"), ("cgn", "sub", SHARED_CARRIER + "/24"))
    netns.ip("cpe", "link set lo up", f"route add default via {SHARED_CARRIER}",
             "route add 192.168.10.0/24 via 192.168.1.2")
    netns.ip("gw", f"route add default via {HOME_ROUTER} dev eth2")
    netns.sysctl("cpe", net__ipv4__ip_forward=1, net__netfilter__nf_conntrack_acct=1)


def remove_interface(name, interface):
    """The interface is gone, and with it the far end of its cable."""
    netns.ip(name, f"link del {interface}")


def redial_interface(address="123.45.1.78"):
    """eth2 is deleted and comes back with another index and another address, as PPP interfaces do."""
    remove_interface("gw", "eth2")
    connect(("gw", "eth2", address + "/21"), ("cgn", "sub", CARRIER + "/21"))
    netns.ip("gw", f"route add default via {CARRIER} dev eth2")
    netns.ip("cgn", f"route add 192.168.10.0/24 via {address}")


def add_twin():
    """A second machine that owns the cloud's address, not yet reachable: see route_to_twin()."""
    netns.ip(None, "netns add twin")
    connect(("twin", "eth0", "111.222.35.2/24"), ("inet", "totwin", "111.222.35.1/24"))
    netns.ip("twin", "link set lo up", f"addr add {CLOUD}/32 dev lo", f"route add default via 111.222.35.1 src {CLOUD}")


def route_to_twin(protocol=None):
    """All packets for the cloud's address go to the twin from now on, or (`protocol`: tcp or udp) only those."""
    netns.ip("inet", f"route add {CLOUD}/32 via 111.222.35.2 table 35",
             f"rule add {'ipproto ' + protocol if protocol else ''} lookup 35 priority 100")


def silence_cloud():
    """The cloud's host is gone without a word: nothing it is sent is answered, not even by a router's ICMP."""
    netns.run("inet", "nft", "-f", "-", stdin=f"""
table ip silence {{
  chain onward {{ type filter hook forward priority filter; policy accept; ip daddr {CLOUD} drop; }}
}}
""")
