"""The reflector on the open Internet: borrowed addresses, forged and replayed packets, floods, clients that dawdle."""
import os
import secrets
import socket
import struct
import threading
import time

from . import agent, attack_world, interop_peer, netns, world
from .attack_world import CLOUD, Honest, Traffic, named, open_base, query, report, send_as, victim
from .interop_peer import BASE, FLOW_TLV, HMAC_TLV, SECRET, SIGNED_BASE, flow_value, mac, raw_tlv, signature, signed, splitmix
from .registry import expect, scenario

EACH = 20  # senders per kind of packet
LOCATION = bytes(4) + b"\x80\x07\x00\x10" + bytes(16)
TLVS = {
    "extra padding": raw_tlv(1, bytes(64)),
    "location": raw_tlv(2, LOCATION),
    "location of everything": raw_tlv(2, bytes(4) + b"".join(struct.pack("!BBH", 0x80, t, 16) + bytes(16) for t in range(1, 10))),
    "timestamp information": raw_tlv(3, bytes(4)),
    "class of service": raw_tlv(4, b"\xb8\0\0\0"),
    "direct measurement": raw_tlv(5, struct.pack("!III", 9, 0, 0)),
    "access report": raw_tlv(6, b"\x10\1\0\0"),
    "follow-up telemetry": raw_tlv(7, bytes(16)),
    "hmac": raw_tlv(HMAC_TLV, bytes(16)),
    "destination node address": raw_tlv(9, socket.inet_aton(CLOUD)),
    "return path": raw_tlv(10, raw_tlv(2, socket.inet_aton("10.9.9.9"))),
    "micro-session id": raw_tlv(11, bytes(4)),
    # RFC 10052: a thousand replies of 1,400 octets each
    "reflected test packet control": raw_tlv(12, struct.pack("!HHI", 1400, 1000, 1000) + bytes(4)),
    "flow control": raw_tlv(FLOW_TLV, flow_value(1, hold=200)),
    "unknown": raw_tlv(99, bytes(20)),
    "private": raw_tlv(252, bytes(20)),
    "reserved": raw_tlv(0, b""),
}


def _unsigned_kinds():
    """(name, packet, whether it is answered); each is sent from many borrowed addresses."""
    yield "base", open_base(), True
    for name, tlv in TLVS.items():
        yield name, open_base() + tlv, True
    yield "every TLV", open_base() + b"".join(TLVS.values()), True
    yield "1,500 octets", open_base() + bytes(1500 - BASE), True
    yield "a TLV longer than the packet", open_base() + b"\x80\x05\xff\xff", True
    yield "a stray octet", open_base() + b"\x80", True
    for size in (0, 1, 14, 43):
        yield f"{size} octets", open_base()[:size], False
    for size in (1501, 9000, 60000):
        yield f"{size} octets", open_base() + bytes(size - BASE), False
    yield "an error estimate of nothing", open_base()[:13] + b"\0" + open_base()[14:], False
    yield "a reply", open_base()[:16] + b"\1" * 28, False
    yield "a forged signature", signed(0, 77, key=bytes(32)), False
    yield "a forged request to hold", signed(0, 77, raw_tlv(FLOW_TLV, flow_value(9, hold=200)), key=bytes(32)), False


def _own_kinds():
    """The same where every sender has a flow of his own; mostly from a holder of the key, who lies about where he is."""
    yield "named", lambda flow: open_base() + raw_tlv(1, struct.pack("!QQ", flow, splitmix(flow))), True
    yield "signed", lambda flow: named(0, flow), True
    yield "to be held", lambda flow: named(0, flow, hold=200), True
    yield "to be suppressed", lambda flow: named(0, flow, suppress=1), False
    yield "held for too long", lambda flow: named(0, flow, hold=700_000), True
    yield "without an HMAC TLV", lambda flow: signed(0, 77) + raw_tlv(FLOW_TLV, flow_value(flow)), False
    for name, tlv in TLVS.items():
        if name not in ("hmac", "flow control"):
            yield f"signed, {name}", lambda flow, tlv=tlv: signed(0, 77, raw_tlv(FLOW_TLV, flow_value(flow)) + tlv), True


@scenario(90)
def attack_amplification():
    """no packet of any kind makes the reflector send more than it was sent, in bytes, to addresses that never asked"""
    attack_world.build(limits={"packets_per_second_per_source": 100_000})
    honest, traffic = Honest(), Traffic()
    kinds = [(name, lambda _, p=packet: p, answered) for name, packet, answered in _unsigned_kinds()]
    worst = 0
    for name, build, answered in kinds + list(_own_kinds()):
        for _ in range(EACH):
            send_as(victim(), build(secrets.randbits(64)))
        honest.settle()
        asked, asked_bytes, replies, reply_bytes = traffic.since()
        print(f"{name}: {asked} packets of {asked_bytes} bytes in, {replies} of {reply_bytes} out")
        expect(asked == EACH, f"{name}: {asked} packets arrived")
        expect(replies == (EACH if answered else 0), f"{name}: {replies} replies")
        expect(reply_bytes <= asked_bytes, f"{name}: {reply_bytes} bytes for {asked_bytes}")
        worst = max(worst, reply_bytes / asked_bytes)
    time.sleep(1.5)  # past every hold that was asked for
    expect(traffic.since() == (0, 0, 0, 0), "something came later")
    print(f"the worst factor is {worst:.3f}")


@scenario(60)
def attack_forged_holds():
    """a flood of forged, replayed and unproven requests to be answered later is answered later not once"""
    attack_world.build()
    honest, traffic, hold = Honest(), Traffic(), 1500
    flow = secrets.randbits(64)
    # The control: who is known to be where he says does get his reply later.
    report(flow)
    started = time.monotonic()
    expect(honest.ask(named(0, flow, hold=hold)) is not None, "an honest hold was not answered")
    expect(time.monotonic() - started >= 0.9 * hold / 1000, "an honest hold was answered at once")
    held = attack_world.count("holds_total", outcome="held")
    recorded = [named(n, flow, hold=hold) for n in range(1, 51)]
    for packet in recorded:
        honest.socket.sendto(packet, (CLOUD, agent.PORT))
    honest.settle()
    traffic.since()
    wrong = [named(0, secrets.randbits(64), hold=hold)[:-16] + secrets.token_bytes(16) for _ in range(50)]
    alien = [signed(0, 77, raw_tlv(FLOW_TLV, flow_value(secrets.randbits(64), hold)), key=secrets.token_bytes(32))
             for _ in range(50)]
    unsigned = [open_base() + raw_tlv(FLOW_TLV, flow_value(secrets.randbits(64), hold)) for _ in range(50)]
    insider = [named(0, secrets.randbits(64), hold=hold) for _ in range(50)]
    for _ in range(10):
        for packets in (wrong, alien, unsigned, recorded, insider):
            send_as(victim(), *packets)
    honest.settle()
    asked, asked_bytes, replies, reply_bytes = traffic.since()
    print(f"{asked} packets of {asked_bytes} bytes in, {replies} of {reply_bytes} out at once")
    expect(asked == 2500 and reply_bytes <= asked_bytes, "more came out than went in")
    time.sleep(hold / 1000 + 1.5)
    late = traffic.since()
    expect(late[2] == 0, f"{late[2]} replies came later")
    count = attack_world.count
    expect(count("holds_total", outcome="held") == held + len(recorded), "some of the flood was held")
    expect(count("holds_total", outcome="not_validated") >= len(insider), "the insider was believed")
    expect(count("packets_total", outcome="bad_hmac") >= 500, "forged signatures are not counted")


@scenario(60)
def attack_replay():
    """packets that are sent again, from their own address or from others, are counted and do nothing"""
    attack_world.build(limits={"packets_per_second_per_source": 100_000})
    honest, traffic = Honest(), Traffic()
    flow = secrets.randbits(64)
    packets = [named(n, flow) for n in range(10)]
    for packet in packets:
        expect(honest.ask(packet) is not None, "a first packet was not answered")
    before = report(flow)[0]
    world.wait_until(lambda: attack_world.count("packets_total", outcome="reflected") >= 10, 5, "the metrics following")
    replayed = attack_world.count("packets_total", outcome="replayed")
    for ssid in range(1000, 1100):  # a session each, or a packet of this one's would be sent again, too
        send_as(victim(), *packets)
        for packet in packets:
            honest.socket.sendto(packet, (CLOUD, agent.PORT))
        expect(honest.ask(open_base(0, ssid)) is not None, "the reflector is stuck")
    asked, _, replies, _ = traffic.since()
    expect((asked, replies) == (1000, 0), f"{replies} of {asked} replayed packets were answered")
    after = report(flow)[0]
    expect(after["received"] == before["received"] + 2000 and after["refused"] == before["refused"] + 2000,
           f"replays are not counted: {after}")
    for key in ("sent", "highest_sequence", "window", "endpoint"):
        expect(after[key] == before[key], f"a replay changed {key}: {before[key]} to {after[key]}")
    world.wait_until(lambda: attack_world.count("packets_total", outcome="replayed") == replayed + 2000, 5,
                     "replays in the metrics")
    expect(honest.ask(named(10, flow)) is not None, "the session is broken")


@scenario(600)
def attack_memory():
    """memory stays where it was under millions of random packets from everywhere"""
    filling, total = 400_000, int(os.environ.get("UPLINK_FLOOD_PACKETS", 1_000_000))
    process = attack_world.build(limits={"packets_per_second_per_source": 1_000_000, "max_sessions": 50_000,
                                         "max_sessions_per_key": 50_000})
    honest = Honest()
    honest.settle()
    flood, started = attack_world.start_flood(filling + total), time.monotonic()
    for each in (process, flood):  # other scenarios run beside this one, and have clocks to keep
        os.setpriority(os.PRIO_PGRP, each.popen.pid, 19)
    seen = full = most = 0
    while flood.alive():
        seen, now = attack_world.count("packets_total"), process.resident()
        if not full and seen >= filling:
            expect(attack_world.count("sessions") >= 50_000, "the flood has not filled the table of sessions")
            full = now
        most = max(most, now)
        time.sleep(0.2)
    took = time.monotonic() - started
    time.sleep(1.5)  # metrics follow within a second
    seen, most = attack_world.count("packets_total"), max(most, process.resident())
    print(f"{flood.output().strip()}; {seen:.0f} seen in {took:.1f} s; resident {full / 2**20:.2f} MiB when the table was "
          f"full, then at most {most / 2**20:.2f} MiB")
    expect(flood.popen.returncode == 0 and seen >= 0.99 * (filling + total), f"the reflector saw only {seen:.0f}")
    expect(full and most - full < 2 * 2**20, f"memory grew by {(most - full) / 2**20:.2f} MiB")
    honest.settle()


def _dawdle(address, first):
    """A connection that says the beginning of something and no more."""
    s = netns.socket_in("outside", socket.SOCK_STREAM)
    s.bind((address, 0))
    s.setblocking(False)
    s.connect_ex((CLOUD, agent.PORT))
    return s, first


@scenario(90)
def attack_slow_queries():
    """clients that are slow, half-open or endless stall neither the query channel nor the probes"""
    attack_world.build()
    honest = Honest()
    flow = secrets.randbits(64)
    expect(honest.ask(named(0, flow)) is not None, "no reply before the attack")
    ends, connections = threading.Event(), []
    beginnings = (b"", b"POST /v1/q", b"POST /v1/query HTTP/1.1\r\nContent-Length: 8000\r\n\r\n{", b"GET / HTTP/1.1\r\nX: " + b"x" * 9000,
                  b"POST /v1/query HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 60000)

    def attack():
        while not ends.is_set():
            for n, first in enumerate(beginnings * 3):
                connections.append(_dawdle(f"10.1.0.{1 + n % 5}", first))
            for s, first in connections[-15:]:
                time.sleep(0.002)
                try:
                    s.send(first)
                except OSError:  # refused, or not connected yet
                    pass
            while len(connections) > 600:
                connections.pop(0)[0].close()

    thread = threading.Thread(target=attack, daemon=True)
    thread.start()
    try:
        attack_world.half_open(5000)
        slowest = slowest_probe = 0
        for n in range(40):
            started = time.monotonic()
            expect(report(flow)[0]["received"] == 1 + n, "a query was answered wrongly")
            slowest = max(slowest, time.monotonic() - started)
            started = time.monotonic()
            expect(honest.ask(named(1 + n, flow)) is not None, "a probe was not answered")
            slowest_probe = max(slowest_probe, time.monotonic() - started)
            time.sleep(0.1)
    finally:
        ends.set()
        thread.join(10)
    print(f"{len(connections)} connections; the slowest query took {slowest:.3f} s, the slowest probe {slowest_probe:.3f} s")
    expect(slowest < 2, f"a query took {slowest:.1f} s")
    expect(slowest_probe < 1, f"a probe took {slowest_probe:.1f} s")
    expect(attack_world.count("queries_total", outcome="refused") > 0, "nobody was put out: the attack was none")


@scenario(60)
def attack_rate_limits():
    """one source has its rate and no more, on UDP and on the query channel, and takes nothing from another"""
    attack_world.build(limits={"packets_per_second_per_source": 50})
    honest, traffic, greedy = Honest(), Traffic(), victim()
    started = time.monotonic()
    send_as(greedy, *(open_base(n, 3) for n in range(2000)))
    expect(honest.ask(open_base()) is not None, "another source suffers")
    took = time.monotonic() - started
    asked, _, replies, _ = traffic.since()
    expect(40 <= replies <= 50 * (took + 1) + 5, f"{replies} of {asked} packets were answered within {took:.2f} s")
    world.wait_until(lambda: attack_world.count("packets_total", outcome="rate_limited") == asked - replies, 5,
                     "what was refused is counted")
    _, body = interop_peer.query([1])
    status = [query(body, address="10.0.0.1")[0] for _ in range(60)]
    expect(status.count(429) >= 10, f"the query channel has no limit: {status}")
    expect(query(body, address="10.0.0.2")[0] == 401, "another client suffers")
    print(f"{replies} of {asked} packets in {took:.2f} s, {status.count(429)} of 60 queries refused")


@scenario(60)
def attack_open_sessions():
    """strangers from everywhere fill the room that strangers have, and none that belongs to a key"""
    attack_world.build()
    honest = Honest()
    honest.settle()
    for _ in range(2000):
        send_as(victim(), open_base(0, 9))
    expect(honest.ask(open_base(1, 0)) is not None, "a stranger who was here before is cut off")
    expect(honest.ask(named(0, secrets.randbits(64))) is not None, "a key's new session finds no room")
    world.wait_until(lambda: attack_world.count("packets_total", outcome="key_table_full") >= 1000, 5, "the room being full")
    sessions = attack_world.count("sessions")
    print(f"{sessions:.0f} sessions")
    expect(sessions <= 1001, "strangers have more sessions than one key may")


@scenario(60)
def attack_other_sessions():
    """whoever asks for a session that is not his learns nothing, not even whether it exists"""
    attack_world.build()
    honest = Honest()
    flow, nothing = secrets.randbits(64), secrets.randbits(64)
    for n in range(5):
        expect(honest.ask(named(n, flow)) is not None, "no reply")
    before = report(flow)[0]
    expect(before["known"] and before["received"] == 5, f"the owner's own answer is wrong: {before}")

    key_id, gateway_id, secret = attack_world.OTHER_KEY
    head = f'{{"v":1,"key_id":"{key_id:08x}","gateway_id":"{gateway_id:016x}","nonce":"{"00" * 16}"'.encode()
    anonymous = f'{{"v":1,"nonce":"{"00" * 16}"'.encode()
    answers = []
    for f in (flow, nothing):
        flows = f',"flows":["{f:016x}"]}}'.encode()
        own = query(head + flows, signature(b"uplink query\n", head + flows, secret))
        open_one = query(anonymous + flows)
        _, stolen = interop_peer.query([f])
        answers.append([(status, text.replace(f"{f:016x}".encode(), b"")) for status, text in (
            own, open_one, query(stolen), query(stolen, signature(b"uplink query\n", stolen, secret)))])
    expect(answers[0] == answers[1], f"a session that exists is answered otherwise than one that does not: {answers}")
    expect([status for status, _ in answers[0]] == [200, 200, 401, 401], f"unexpected: {answers[0]}")
    expect(all(b"received" not in text and b"endpoint" not in text for _, text in answers[0]), "something is revealed")

    # On the wire: counters are those of the asker's own session, though flow, SSID and address are the victim's.
    counters = raw_tlv(5, bytes(12))
    value = struct.pack("!BBHIQQIIQ", 1, 0, 0, key_id, gateway_id, flow, 0, 0, 0)
    thief = Honest()
    reply = thief.ask(signed(0, 77, raw_tlv(FLOW_TLV, value) + counters, key=secret))
    expect(struct.unpack("!II", reply[SIGNED_BASE + 44 + 8:SIGNED_BASE + 44 + 16]) == (1, 1), f"another's counters: {reply.hex()}")
    reply = honest.ask(open_base(0, 77) + counters)
    expect(struct.unpack("!II", reply[BASE + 8:BASE + 16]) == (1, 1), f"another's counters: {reply.hex()}")
    expect(reply[BASE] == 0 and mac(SECRET, reply[:96]) != reply[96:112], "an unsigned reply")
    after = report(flow)[0]
    for key in ("received", "refused", "sent", "highest_sequence", "window", "endpoint"):
        expect(after[key] == before[key], f"a stranger changed {key}: {before[key]} to {after[key]}")
