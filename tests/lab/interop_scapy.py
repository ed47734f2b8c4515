#!/usr/bin/python3
"""Interoperation of uplink_reflector with scapy's STAMP packets, field by field, and with a second implementation of
the authenticated exchange and of the query channel (interop_peer.py).

Runs as root inside `unshare -nmpf --kill-child`, with the directory of the programs in UPLINK_BIN. Prints `ok NAME`
for each check and ends with 1 at the first difference.
"""
import json
import logging
import os
import secrets
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from interop_peer import (FLOW_TLV, GATEWAY_ID, HMAC_TLV, BASE, KEY_ID, PORT, SECRET, SIGNED_BASE, Difference, Reflector,
                          ask, command, equal, flow_value, mac, post, query, raw_tlv, read_instance, signature, signed,
                          silent, splitmix, true, udp, unix_of, wait)


def dissect(reply):
    """scapy's view of a reply's UDP payload; 2.5.0 takes the TLVs' length from a parent that it never sets itself."""
    return stamp.STAMPSessionReflectorTestUnauthenticated(reply, _parent=scapy_udp(len=8 + len(reply)))


def sender(seq, ssid=7, tlvs=(), **fields):
    error = stamp.ErrorEstimate(S=1, Z=0, scale=3, multiplier=9)
    return bytes(stamp.STAMPSessionSenderTestUnauthenticated(
        seq=seq, ts=1_700_000_000.25, err_estimate=error, ssid=ssid, tlv_objects=list(tlvs), **fields))


def tlv(kind, value=b"", flags=0x80, length=None):
    return stamp.STAMPTestTLV(flags=flags, type=kind, len=len(value) if length is None else length, value=value)


# --- unauthenticated, with scapy -----------------------------------------------------------------------------------


def check_fields():
    s = udp()
    request = sender(0)
    reply, source = ask(s, request)
    equal("source of the reply", source, ("127.0.0.1", PORT))
    equal("length", len(reply), len(request))
    p = dissect(reply)
    equal("seq", p.seq, 0)
    equal("ssid", p.ssid, 7)
    equal("seq_sender", p.seq_sender, 0)
    equal("ts_sender", reply[28:36], request[4:12])
    for field, value in (("S", 1), ("Z", 0), ("scale", 3), ("multiplier", 9)):
        equal(f"err_estimate_sender.{field}", getattr(p.err_estimate_sender, field), value)
    equal("err_estimate.Z", p.err_estimate.Z, 0)
    true("err_estimate.multiplier is not 0", p.err_estimate.multiplier != 0)
    equal("ttl_sender", p.ttl_sender, 33)
    equal("mbz", (p.mbz1, p.mbz2), (0, 0))
    equal("tlv_objects", p.tlv_objects, [])
    received, sent, now = unix_of(reply[16:24]), unix_of(reply[4:12]), time.time()
    true(f"T2 {received} is now", abs(now - received) < 2)
    true(f"T3 {sent} is not before T2 {received}", received <= sent <= now + 0.1)


def check_gaps():
    s = udp()
    for sequence, own in ((0, 0), (1, 1), (5, 2)):
        p = dissect(ask(s, sender(sequence))[0])
        equal(f"seq for {sequence}", (p.seq, p.seq_sender), (own, sequence))
    silent("a replayed sequence number", s, sender(5))
    equal("seq after it", dissect(ask(s, sender(6))[0]).seq, 3)


def check_ptp_sender():
    request = bytearray(sender(0))
    request[4:12] = struct.pack("!II", 1_700_000_000, 250_000_000)
    request[12] |= 0x40  # Z
    reply, _ = ask(udp(), bytes(request))
    equal("the sender's timestamp and error estimate", reply[28:38], bytes(request[4:14]))
    equal("ours stay NTP", reply[12] & 0x40, 0)


def check_tlvs():
    s = udp()
    location = bytes(4) + b"\x80\x07\x00\x10" + bytes(16)
    request = sender(0, tlvs=[tlv(1, b"abc"), tlv(2, location), tlv(5, struct.pack("!III", 17, 0, 0)),
                              tlv(99, b"\x01\x02"), tlv(1)])
    reply, _ = ask(s, request)
    equal("length", len(reply), len(request))
    got = [(int(t.flags), t.type, t.len, bytes(t.value)) for t in dissect(reply).tlv_objects]
    port = s.getsockname()[1]
    seen = struct.pack("!HH", PORT, port) + b"\x00\x08\x00\x10" + socket.inet_aton("127.0.0.1") + bytes(12)
    equal("TLVs", got, [(0, 1, 3, b"abc"), (0, 2, 24, seen), (0, 5, 12, struct.pack("!III", 17, 1, 1)),
                        (0x80, 99, 2, b"\x01\x02"), (0, 1, 0, b"")])


def check_malformed_tlvs():
    s = udp()
    request = sender(0) + b"\x80\x01\x00\x00" + b"\x80\x05\xff\xff" + b"\x80\x01\x00\x00"
    equal("TLVs", ask(s, request)[0][BASE:], b"\x00\x01\x00\x00" + b"\x40\x05\xff\xff" + b"\x80\x01\x00\x00")
    equal("a stray octet", ask(s, sender(1) + b"\x80")[0][BASE:], b"\x40")


def check_refused():
    s = udp()
    for size in (0, 1, 14, 43):
        silent(f"{size} octets", s, sender(0)[:size])
    silent("1501 octets", s, sender(0) + bytes(1501 - BASE))
    equal("1500 octets", len(ask(s, sender(0) + bytes(1500 - BASE))[0]), 1500)
    silent("a multiplier of 0", s, sender(1)[:13] + b"\x00" + sender(1)[14:])
    silent("a reply sent back", s, ask(udp(), sender(0))[0])


def check_addresses():
    s = udp()
    for ssid, address in ((1, "127.0.0.2"), (2, "127.1.2.3")):
        _, source = ask(s, sender(0, ssid=ssid), to=(address, PORT))
        equal("source of the reply", source, (address, PORT))
    s = udp(socket.AF_INET6, ttl=21)
    location = bytes(4) + b"\x80\x07\x00\x10" + bytes(16)
    reply, source = ask(s, sender(0, tlvs=[tlv(2, location)]))
    equal("source of the reply", source[:2], ("::1", PORT))
    p = dissect(reply)
    equal("hop limit", p.ttl_sender, 21)
    seen = struct.pack("!HH", PORT, s.getsockname()[1]) + b"\x00\x09\x00\x10" + socket.inet_pton(socket.AF_INET6, "::1")
    equal("location", bytes(p.tlv_objects[0].value), seen)


# --- authenticated, from the RFCs ----------------------------------------------------------------------------------


def check_signed_reply(reply, request, seq, ttl=33):
    equal("length", len(reply), len(request))
    equal("base HMAC", reply[96:112], mac(SECRET, reply[:96]))
    equal("Sequence Number", struct.unpack("!I", reply[:4])[0], seq)
    equal("SSID", reply[26:28], request[26:28])
    equal("MBZ", bytes(reply[4:16] + reply[28:32] + reply[40:48] + reply[52:64] + reply[74:80] + reply[81:96]), bytes(57))
    equal("Session-Sender Sequence Number", reply[48:52], request[:4])
    equal("Session-Sender Timestamp", reply[64:72], request[16:24])
    equal("Session-Sender Error Estimate", reply[72:74], request[24:26])
    equal("Session-Sender TTL", reply[80], ttl)
    received, sent = unix_of(reply[32:40]), unix_of(reply[16:24])
    true("T2 and T3 are now", abs(time.time() - received) < 2 and received <= sent)


def check_authenticated():
    s = udp()
    flow = secrets.randbits(64)
    request = signed(0, 77, raw_tlv(FLOW_TLV, flow_value(flow, hold=3000)))
    reply, _ = ask(s, request)
    check_signed_reply(reply, request, 0)
    boot_epoch, instance = read_instance(reply)
    tlvs = raw_tlv(FLOW_TLV, flow_value(flow, 0, 0, boot_epoch, instance), flags=0)
    equal("TLVs", reply[SIGNED_BASE:], tlvs + raw_tlv(HMAC_TLV, mac(SECRET, reply[:4], tlvs), flags=0))
    true("boot epoch is recent", 0 <= time.time() - boot_epoch < 300)
    true("instance id is drawn", instance != 0)

    request = signed(1, 77)
    check_signed_reply(ask(s, request)[0], request, 1)
    rebound = udp()  # the same session out of another port
    request = signed(4, 77)
    check_signed_reply(ask(rebound, request)[0], request, 2)

    silent("a wrong key", s, signed(5, 77, key=bytes(32)))
    tampered = bytearray(signed(5, 77))
    tampered[3] ^= 1
    silent("a tampered sequence number", s, bytes(tampered))
    silent("a replay", s, signed(4, 77))
    silent("a suppressed reply", s, signed(5, 77, raw_tlv(FLOW_TLV, flow_value(flow, suppress=1))))
    broken = bytearray(signed(6, 77, raw_tlv(FLOW_TLV, flow_value(flow))))
    broken[-1] ^= 1
    reply, _ = ask(s, bytes(broken))
    equal("I flags", (reply[SIGNED_BASE], reply[SIGNED_BASE + 44]), (0x20, 0x20))
    return flow, s.getsockname()[1]


def check_query():
    flow, port = check_authenticated()
    for host in ("127.0.0.1", "::1"):
        nonce, body = query([flow, 1])
        status, text, headers = post(body, signature(b"uplink query\n", body), host=host)
        equal("status", status, 200)
        equal("signature", headers["Uplink-Authentication"], signature(b"uplink answer\n", text))
        answer = json.loads(text)
        equal("nonce", answer["nonce"], nonce)
        known, unknown = answer["flows"]
        equal("unknown flow", unknown, {"flow_id": f"{1:016x}", "known": False})
        # received: 0, 1, 4, the replay of 4, 5 (suppressed), and 6 (its TLVs tampered with, its base packet not)
        expected = {"flow_id": f"{flow:016x}", "known": True, "received": 6, "refused": 1, "sent": 4,
                    "highest_sequence": 6, "window": f"{0b1100111:064x}", "ttl": 33}
        equal("flow", {k: known[k] for k in expected}, expected)
        equal("endpoint", known["endpoint"], f"127.0.0.1:{port}")
        true("age", known["last_ms_ago"] < 10_000)


def check_query_refusals():
    _, body = query([1])
    good = signature(b"uplink query\n", body)
    equal("no signature", post(body)[0], 401)
    equal("wrong signature", post(body, signature(b"uplink query\n", body, bytes(32)))[0], 401)
    other = query([1], key_id=1)[1]
    equal("unknown key", post(other, signature(b"uplink query\n", other))[0], 401)
    equal("no JSON", post(b"hello", good)[0], 400)
    status, _, headers = post(None, method="GET")
    equal("GET", (status, headers["Allow"]), (405, "POST"))
    equal("another path", post(body, good, path="/metrics")[0], 404)
    equal("too large", post(b"x" * 8193, good)[0], 413)
    with socket.create_connection(("127.0.0.1", PORT), 8) as s:
        s.sendall(b"\x16\x03\x01nonsense\r\n\r\n")
        true("400 for what is no HTTP", s.recv(100).startswith(b"HTTP/1.1 400"))


def check_unauthenticated_query():
    s = udp()
    flow = secrets.randbits(64)
    padding = struct.pack("!QQ", flow, splitmix(flow))
    request = sender(0, ssid=9, tlvs=[tlv(1, padding)])
    equal("reply", dissect(ask(s, request)[0]).seq, 0)
    body = json.dumps({"v": 1, "nonce": "00" * 16, "flows": [f"{flow:016x}"]}).encode()
    status, text, headers = post(body)
    equal("status", status, 200)
    equal("no signature", headers["Uplink-Authentication"], None)
    answer = json.loads(text)["flows"][0]
    equal("endpoint", answer["endpoint"], f"127.0.0.1:{s.getsockname()[1]}")
    equal("received", answer["received"], 1)


def check_slow_query():
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", PORT), 10) as s:
        s.sendall(b"POST /v1/query HTTP/1.1\r\n")
        equal("the connection ends", s.recv(100), b"")
    true("after five seconds", 4 < time.monotonic() - started < 8)


# --- the program's manners -----------------------------------------------------------------------------------------


def check_metrics(reflector):
    def count(outcome):
        return int(float(reflector.scrape()[f'uplink_reflector_packets_total{{outcome="{outcome}"}}']))
    before = count("too_short")
    silent("a short one", udp(), b"x")
    wait("the metric follows", lambda: count("too_short") == before + 1)
    for outcome in ("reflected", "suppressed", "oversized", "malformed", "looped", "bad_hmac", "replayed"):
        true(f"{outcome} was counted", count(outcome) > 0)


def check_reload(reflector):
    s = udp()
    flow = raw_tlv(FLOW_TLV, flow_value(secrets.randbits(64)))
    request = signed(0, 78, flow)
    check_signed_reply(ask(s, request)[0], request, 0)
    reflector.write({**reflector.config, "allow_unauthenticated": "perhaps"})
    reflector.process.send_signal(signal.SIGHUP)
    wait("the refusal is logged", lambda: "REFLECTOR_RELOAD_FAILED" in reflector.read_log())
    true("it names file and key", "reflector.yml:1:" in reflector.log and "allow_unauthenticated" in reflector.log)
    equal("still open", dissect(ask(udp(), sender(0))[0]).seq, 0)
    reflector.write({**reflector.config, "allow_unauthenticated": False})
    reflector.process.send_signal(signal.SIGHUP)
    wait("the reload is logged", lambda: "REFLECTOR_RELOADED" in reflector.read_log())
    silent("unauthenticated", udp(), sender(0))
    request = signed(1, 78)
    check_signed_reply(ask(s, request)[0], request, 1)


def check_start_errors(directory):
    def start(config, words):
        path = os.path.join(directory, "second.yml")
        with open(path, "w") as file:
            json.dump(config, file)
        run = subprocess.run(command(path, "127.0.0.1:10179"), capture_output=True, text=True, timeout=10)
        equal(f"exit status ({words})", run.returncode, 2)
        lines = [line for line in run.stderr.splitlines() if "level=error" in line]
        equal(f"error lines of {run.stderr}", len(lines), 1)
        for word in words:
            true(f"{word!r} stands in {lines[0]}", word in lines[0])
    key_file = os.path.join(directory, "gateway.key")
    start({"listen": [f"127.0.0.1:{PORT}"], "key_file": key_file}, ["tcp", f"127.0.0.1:{PORT}", "in use", "ss -"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 8620))
        start({"listen": ["127.0.0.1:8620"], "key_file": key_file}, ["udp", "127.0.0.1:8620", "in use", "ss -"])
    start({"listen": ["192.0.2.1:8620"], "key_file": key_file}, ["192.0.2.1:8620", "no interface"])
    start({"listen": ["127.0.0.1:8620"], "key_file": directory + "/none.key"}, ["none.key"])
    start({"listen": ["127.0.0.1:8620"]}, ["key_file"])
    with socket.create_server(("127.0.0.1", 8620)):
        start({"listen": ["127.0.0.1:8620"], "key_file": key_file}, ["tcp", "127.0.0.1:8620", "in use"])


def check_end(reflector):
    equal("exit status after SIGTERM", reflector.end(), 0)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)  # of this pid namespace; sanitizers look there
    with tempfile.TemporaryDirectory() as directory:
        key_file = os.path.join(directory, "gateway.key")
        with open(os.open(key_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(f"gateway {KEY_ID:08x} {GATEWAY_ID:016x} {SECRET.hex()}\n")
        reflector = Reflector(directory, listen=[f"0.0.0.0:{PORT}", f"[::]:{PORT}"], key_file=key_file,
                              allow_unauthenticated=True)
        checks = [
            ("fields", check_fields), ("sequence_gaps", check_gaps), ("ptp_sender", check_ptp_sender),
            ("tlvs", check_tlvs), ("malformed_tlvs", check_malformed_tlvs), ("refused", check_refused),
            ("addresses", check_addresses), ("authenticated_and_query", check_query),
            ("query_refusals", check_query_refusals), ("unauthenticated_query", check_unauthenticated_query),
            ("slow_query", check_slow_query), ("metrics", lambda: check_metrics(reflector)),
            ("reload", lambda: check_reload(reflector)), ("start_errors", lambda: check_start_errors(directory)),
            ("end", lambda: check_end(reflector)),
        ]
        try:
            for name, check in checks:
                try:
                    check()
                except (Difference, TypeError, OSError) as problem:  # TypeError: no reply where one was wanted
                    print(f"not ok {name}: {problem!r}\n{reflector.read_log()}", flush=True)
                    return 1
                print(f"ok {name}", flush=True)
        finally:
            reflector.process.kill()
    return 0


if __name__ == "__main__":
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it wants to say that lo has no address yet
    from scapy.contrib import stamp
    from scapy.layers.inet import UDP as scapy_udp

    sys.exit(main())
