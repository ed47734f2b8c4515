"""What interop_scapy.py works with: a running uplink_reflector, sockets, and packets and queries built in Python from
RFC 8762, RFC 8972 and exporter/stamp/*.h, as a second implementation of them.
"""
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import signal
import socket
import struct
import subprocess
import time
import urllib.request

PORT = 862
METRICS = "127.0.0.1:10178"
KEY_ID, GATEWAY_ID, SECRET = 0xA1B2C3D4, 0x1122334455667788, bytes(range(32))
NTP_TO_UNIX = 2208988800
BASE, SIGNED_BASE = 44, 112
HMAC_TLV, FLOW_TLV = 8, 240


class Difference(Exception):
    pass


def equal(what, got, wanted):
    if got != wanted:
        raise Difference(f"{what}: got {got!r}, wanted {wanted!r}")


def true(what, condition):
    if not condition:
        raise Difference(what)


# --- the program ---------------------------------------------------------------------------------------------------


class Reflector:
    """One running uplink_reflector with a configuration of its own."""

    def __init__(self, directory, **config):
        self.path = os.path.join(directory, "reflector.yml")
        self.config = config
        self.write(config)
        self.process = subprocess.Popen(command(self.path), stderr=subprocess.PIPE, text=True)
        os.set_blocking(self.process.stderr.fileno(), False)
        self.log = ""
        wait("the reflector answers", lambda: self.alive() and self.scrape() is not None)

    def write(self, config):
        with open(self.path, "w") as file:
            json.dump(config, file)  # JSON is YAML, too

    def alive(self):
        if self.process.poll() is not None:
            raise Difference(f"the reflector ended with {self.process.returncode}: {self.read_log()}")
        return True

    def read_log(self):
        with contextlib.suppress(TypeError):
            self.log += self.process.stderr.read() or ""
        return self.log

    def scrape(self):
        """The values of /metrics by series, or None while nobody serves it."""
        try:
            with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=2) as page:
                lines = page.read().decode().splitlines()
        except OSError:
            return None
        return dict(line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def command(path, web=METRICS):
    program = os.path.join(os.environ["UPLINK_BIN"], "uplink_reflector")
    return [program, "--config.file", path, "--web.listen-address", web]


def wait(what, condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise Difference(f"after {seconds} s still not: {what}")


# --- packets -------------------------------------------------------------------------------------------------------


def udp(family=socket.AF_INET, ttl=33):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(2)
    if family == socket.AF_INET:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        s.bind(("127.0.0.1", 0))
    else:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        s.bind(("::1", 0))
    return s


def ask(s, packet, to=None):
    """The reply and where it came from; None where none comes within the time-out."""
    s.sendto(packet, to or (("127.0.0.1", PORT) if s.family == socket.AF_INET else ("::1", PORT)))
    try:
        return s.recvfrom(2048)
    except socket.timeout:
        return None


def silent(name, s, packet):
    s.settimeout(0.3)
    equal(name, ask(s, packet), None)
    s.settimeout(2)


def unix_of(raw):
    seconds, fraction = struct.unpack("!II", raw)
    return seconds - NTP_TO_UNIX + fraction / 2**32


# --- authenticated packets -------------------------------------------------------------------------------------------


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()[:16]


def signed_base(seq, ssid, key=SECRET):
    head = struct.pack("!I12xIIHH68x", seq, 0xEE000000, 0x80000000, 0x9240, ssid)
    return head + mac(key, head)


def raw_tlv(kind, value, flags=0x80):
    return struct.pack("!BBH", flags, kind, len(value)) + value


def flow_value(flow_id, hold=0, suppress=0, boot_epoch=0, instance=0):
    return struct.pack("!BBHIQQIIQ", 1, suppress, 0, KEY_ID, GATEWAY_ID, flow_id, hold, boot_epoch, instance)


def signed(seq, ssid, tlvs=b"", key=SECRET):
    base = signed_base(seq, ssid, key)
    return base + (tlvs + raw_tlv(HMAC_TLV, mac(key, base[:4], tlvs)) if tlvs else b"")


def read_instance(reply):
    value = reply[SIGNED_BASE + 4:SIGNED_BASE + 44]
    boot_epoch, instance = struct.unpack("!IQ", value[28:40])
    return boot_epoch, instance


# --- queries ---------------------------------------------------------------------------------------------------------


def post(body, header=None, path="/v1/query", method="POST", host="127.0.0.1"):
    connection = http.client.HTTPConnection(host, PORT, timeout=8)
    connection.request(method, path, body, {"Uplink-Authentication": header} if header else {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text, answer.headers


def query(flows, key_id=KEY_ID):
    nonce = secrets.token_hex(16)
    body = json.dumps({"v": 1, "key_id": f"{key_id:08x}", "gateway_id": f"{GATEWAY_ID:016x}", "nonce": nonce,
                       "flows": [f"{f:016x}" for f in flows]}).encode()
    return nonce, body


def signature(context, body, key=SECRET):
    return hmac.new(key, context + body, hashlib.sha256).hexdigest()


def splitmix(v):
    mask = 2**64 - 1
    v = (v + 0x9E3779B97F4A7C15) & mask
    v = ((v ^ v >> 30) * 0xBF58476D1CE4E5B9) & mask
    v = ((v ^ v >> 27) * 0x94D049BB133111EB) & mask
    return v ^ v >> 31
