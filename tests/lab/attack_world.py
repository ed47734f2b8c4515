"""A small world for attacks: the cloud with a reflector, and outside it every address from 10.0.0.0 to 10.255.255.255.

Outside, any of these may be borrowed; what the cloud sends to one of them over UDP is counted there and ends unheard, as
with a victim who never asked. TCP works from 10.0.0.0/9; 10.128.0.0/9 says nothing at all.
"""
import itertools
import json
import random
import socket
import struct
import time

from . import agent, interop_peer, netns, topology, world
from .interop_peer import BASE, FLOW_TLV, SECRET, flow_value, raw_tlv, signed

CLOUD, OUTSIDE = topology.CLOUD, "111.222.33.1"
OTHER_KEY = (0x0B0B0B0B, 0x99AA99AA99AA99AA, bytes(range(32, 64)))  # a second gateway's
_WATCH = """
table ip watch {
  counter asked { }
  chain in { type filter hook input priority filter; meta l4proto udp ip saddr 10.0.0.0/8 counter name asked; }
}
"""
_VICTIMS = """
table ip watch {
  counter answered { }
  chain in { type filter hook input priority filter;
    meta l4proto { udp, icmp } ip daddr 10.0.0.0/8 counter name answered drop
    ip daddr 10.128.0.0/9 drop
  }
}
"""


def build(**settings):
    """Raises the world and a reflector in it; returns the reflector's process."""
    netns.ip(None, "netns add cloud", "netns add outside")
    topology.connect(("cloud", "eth0", CLOUD + "/24"), ("outside", "eth0", OUTSIDE + "/24"))
    # Packets that left as one are counted one by one.
    netns.ip("cloud", "link set lo up", f"route add default via {OUTSIDE}", "link set eth0 gso_max_segs 1")
    netns.ip("outside", "link set lo up", "route add local 10.0.0.0/8 dev lo")
    netns.run("cloud", "nft", "-f", "-", stdin=_WATCH)
    netns.run("outside", "nft", "-f", "-", stdin=_VICTIMS)
    keys = ((interop_peer.KEY_ID, interop_peer.GATEWAY_ID, SECRET), OTHER_KEY)
    agent.write(agent.KEY_FILE, "".join(f"gateway {k:08x} {g:016x} {s.hex()}\n" for k, g, s in keys))
    return agent.start_reflector(allow_unauthenticated=True, **settings)


class Traffic:
    """What went in from borrowed addresses and came out towards them since the last look, in IP packets and bytes."""

    def __init__(self):
        self._last = self._read()

    @staticmethod
    def _read():
        values = []
        for name, counter in (("cloud", "asked"), ("outside", "answered")):
            listing = json.loads(netns.run(name, "nft", "-j", "list", "counter", "ip", "watch", counter))
            found = next(item["counter"] for item in listing["nftables"] if "counter" in item)
            values += [found["packets"], found["bytes"]]
        return values

    def since(self):
        """(packets in, bytes in, packets out, bytes out)."""
        now = self._read()
        while True:
            time.sleep(0.01)  # what was sent just now may still be on its way through the kernel
            before, now = now, self._read()
            if before == now:
                break
        last, self._last = self._last, now
        return tuple(a - b for a, b in zip(now, last))


_victims = (f"10.{128 + n // 65536 % 128}.{n // 256 % 256}.{n % 256}" for n in itertools.count(1))


def victim():
    """An address that nobody has borrowed yet."""
    return next(_victims)


def send_as(address, *packets, port=0):
    """Sends datagrams with a borrowed source address; larger ones in fragments."""
    with netns.socket_in("outside") as s:
        s.bind((address, port))
        for packet in packets:
            s.sendto(packet, (CLOUD, agent.PORT))


def open_base(seq=0, ssid=7):
    """A Session-Sender's packet without a key."""
    return struct.pack("!IIIHH28x", seq, 0xEE000000, 0x80000000, 0x9240, ssid)


class Honest:
    """Somebody outside who uses its own address."""

    def __init__(self):
        self.socket = netns.socket_in("outside")
        self.socket.bind((OUTSIDE, 0))
        self.socket.settimeout(5)
        self._sequences = [itertools.count() for _ in range(16)]

    def ask(self, packet, timeout=5):
        """The reply's octets; None where none comes."""
        self.socket.settimeout(timeout)
        self.socket.sendto(packet, (CLOUD, agent.PORT))
        try:
            return self.socket.recv(2048)
        except socket.timeout:
            return None

    def settle(self):
        """Returns when everything that was sent so far has been dealt with, in every shard."""
        for ssid, sequence in enumerate(self._sequences):
            reply = self.ask(open_base(next(sequence), ssid))
            if reply is None or len(reply) != BASE:
                raise AssertionError(f"an honest packet was not answered: {reply!r}")


def named(seq, flow, ssid=77, hold=0, suppress=0):
    """A packet of the first key's session `flow`."""
    return signed(seq, ssid, raw_tlv(FLOW_TLV, flow_value(flow, hold, suppress)))


def query(body, header=None, address=OUTSIDE, timeout=5):
    """(status, text) of one query."""
    with netns.socket_in("outside", socket.SOCK_STREAM) as s:
        s.settimeout(timeout)
        s.bind((address, 0))
        s.connect((CLOUD, agent.PORT))
        line = f"Uplink-Authentication: {header}\r\n" if header else ""
        s.sendall(f"POST /v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{line}\r\n".encode() + body)
        answer = b""
        while chunk := s.recv(4096):
            answer += chunk
    if not answer:
        raise AssertionError(f"a query from {address} was not answered")
    head, _, text = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), text


def report(*flows):
    """What the reflector says of the first key's flows, over an authenticated query."""
    _, body = interop_peer.query(flows)
    status, text = query(body, interop_peer.signature(b"uplink query\n", body))
    if status != 200:
        raise AssertionError(f"a query of its own was answered {status}: {text!r}")
    return json.loads(text)["flows"]


def count(metric, **labels):
    return world.scrape("cloud", 10178).sum(f"uplink_reflector_{metric}", **labels)


def half_open(connections):
    """SYNs from addresses that never answer."""
    with netns.entered("outside"):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    to = socket.inet_aton(CLOUD)
    for _ in range(connections):
        source = socket.inet_aton(victim())
        tcp = struct.pack("!HHIIBBHHH", random.randrange(1024, 65536), agent.PORT, random.getrandbits(32), 0, 0x50, 2, 64240, 0, 0)
        total = sum(struct.unpack("!16H", source + to + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp)) + tcp))
        total = (total & 0xFFFF) + (total >> 16)
        checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, socket.IPPROTO_TCP, 0, source, to)
        raw.sendto(ip + tcp[:16] + struct.pack("!H", checksum) + tcp[18:], (CLOUD, 0))
    raw.close()


def start_flood(packets, seed=1):
    """lab_flood, running."""
    return world.Process("outside", "flood", [agent.program("lab_flood"), CLOUD, str(agent.PORT), str(packets), str(seed)])
