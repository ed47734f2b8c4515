#!/usr/bin/python3
"""Wireshark's view of uplink_reflector's packets: captured in this namespace, dissected by tshark as TWAMP-Test.

Debian 12's tshark (4.0) has no dissector of STAMP by name. STAMP's unauthenticated packets are TWAMP-Test's (RFC 8762
section 4.6): sequence number, timestamp, error estimate and, in replies, receive timestamp and what the sender sent; the
SSID lies where TWAMP has zeroes (mbz1 in a reply), TLVs where it has padding. Each field is compared with what was sent.

Runs as root inside `unshare -nmpf --kill-child`, with the directory of the programs in UPLINK_BIN. Prints `ok NAME` for
each check and ends with 1 at the first difference.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

from interop_peer import BASE, PORT, Difference, Reflector, ask, equal, raw_tlv, true, udp

ETH_P_ALL, PACKET_OUTGOING = 3, 4
SEQUENCES, SSID, TTL = (0, 1, 5), 0x1234, 33
PADDING = raw_tlv(1, b"abcdefgh")


def request(sequence):
    return struct.pack("!IIIHH28x", sequence, 0xEE000000, 0x80000000, 0x9240, SSID) + (PADDING if sequence else b"")


def capture(sniffer, path):
    """What the socket has seen, as a file that Wireshark reads."""
    sniffer.settimeout(0.3)
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while True:
            try:
                frame, where = sniffer.recvfrom(65535)
            except socket.timeout:
                return
            if where[2] != PACKET_OUTGOING:  # on lo each passes twice
                now = time.time()
                file.write(struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(frame), len(frame)) + frame)


def dissect(path):
    """tshark's fields of every test packet, in order."""
    done = subprocess.run(["tshark", "-n", "-r", path, "-d", f"udp.port=={PORT},twamp.test", "-Y", f"udp.port=={PORT}", "-T",
                           "json", "--no-duplicate-keys"], capture_output=True, text=True, check=True)
    found = []
    for packet in json.loads(done.stdout):
        layers = packet["_source"]["layers"]
        true(f"no complaint of Wireshark's: {layers}", "_ws.malformed" not in done.stdout and "_ws.expert" not in done.stdout)
        found.append((int(layers["udp"]["udp.srcport"]), layers["twamp.test"]))
    return found


def estimate(fields, name="twamp.test.error_estimate"):
    tree = fields[name + "_tree"] if name + "_tree" in fields else fields
    return {key: int(str(tree[f"twamp.test.error_estimate.{key}"]).replace("True", "1").replace("False", "0"), 0)
            for key in ("s", "z", "scale", "multiplier")}


def octets(text):
    return bytes.fromhex(text.replace(":", ""))


def check_requests(fields):
    equal("sequence numbers sent", [int(f["twamp.test.seq_number"]) for f in fields], list(SEQUENCES))
    for f in fields:
        # 0xEE000000.8 in NTP's seconds
        true(f"timestamp {f['twamp.test.timestamp']}", "2026" in f["twamp.test.timestamp"] and "500000000" in f["twamp.test.timestamp"])
        equal("error estimate", estimate(f), {"s": 1, "z": 0, "scale": 18, "multiplier": 64})


def check_replies(fields, requests):
    equal("the reflector's own sequence numbers", [int(f["twamp.test.seq_number"]) for f in fields], [0, 1, 2])
    equal("the sender's", [int(f["twamp.test.sender_seq_number"]) for f in fields], list(SEQUENCES))
    for f, r, sequence in zip(fields, requests, SEQUENCES):
        equal("the sender's timestamp", f["twamp.test.sender_timestamp"], r["twamp.test.timestamp"])
        equal("the sender's error estimate", int(f["twamp.test.sender_error_estimate"], 0), 0x9240)
        equal("the sender's TTL", int(f["twamp.test.sender_ttl"]), TTL)
        equal("SSID, where TWAMP has zeroes", int(f["twamp.test.mbz1"], 0), SSID)
        equal("MBZ", int(f["twamp.test.mbz2"], 0), 0)
        own = estimate(f)
        true(f"error estimate {own}", own["z"] == 0 and own["multiplier"] > 0)
        # RFC 8762's base packet goes on for three octets of zeroes where TWAMP's padding begins.
        tlv = b"\0" + PADDING[1:] if sequence else b""
        equal("zeroes and TLVs, where TWAMP has padding", octets(f["twamp.test.padding"]), bytes(3) + tlv)


def check_times(fields):
    year = time.strftime("%Y", time.gmtime())
    for f in fields:
        received, sent = f["twamp.test.receive_timestamp"], f["twamp.test.timestamp"]
        true(f"received {received}, sent {sent}: of this year", year in received and year in sent)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    with tempfile.TemporaryDirectory() as directory:
        reflector = Reflector(directory, listen=[f"127.0.0.1:{PORT}"], allow_unauthenticated=True)
        try:
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as sniffer:
                sniffer.bind(("lo", 0))
                s = udp(ttl=TTL)
                for sequence in SEQUENCES:
                    equal("length", len(ask(s, request(sequence))[0]), BASE + (len(PADDING) if sequence else 0))
                path = os.path.join(directory, "lo.pcap")
                capture(sniffer, path)
            packets = dissect(path)
            requests = [fields for port, fields in packets if port != PORT]
            replies = [fields for port, fields in packets if port == PORT]
            for name, check in (("tshark_requests", lambda: check_requests(requests)),
                                ("tshark_replies", lambda: check_replies(replies, requests)),
                                ("tshark_times", lambda: check_times(replies))):
                check()
                print(f"ok {name}", flush=True)
        except (Difference, KeyError, TypeError, OSError, subprocess.CalledProcessError) as problem:
            print(f"not ok: {problem!r} {getattr(problem, 'stderr', '')}\n{reflector.read_log()}", flush=True)
            return 1
        finally:
            reflector.process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
