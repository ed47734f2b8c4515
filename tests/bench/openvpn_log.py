#!/usr/bin/python3
"""How fast `uplinktool openvpn analyze` reads a server's log, beside `wc -l` and mtail with one rule, as ratios in one run.

usage: openvpn_log.py [--bin DIRECTORY] [--size MB] [--clients N] [--rounds N]
(build first: ninja -C build uplinktool; install mtail: apt-get install --no-install-recommends mtail)
The log is made for it in a temporary directory (1 GB by default) and deleted afterwards. mtail, which is slow, and the
comparison of memory get a tenth of it. The programs take turns, the rounds are compared one by one by the processor time
that each needed (a neighbour on the machine takes none of that), and the medians count. The last line is
`N passed, N failed`.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# What the issue of this room asks for, and how much more memory than for a tenth of the log is still flat.
OF_WC, OF_MTAIL, FLAT = 0.10, 10.0, 4 * 2**20

# A client arrives at a server of 2.6 with verb 3; {peer} is authenticated at {at} from then on.
ARRIVAL = """\
{now} {at} VERIFY OK: depth=1, CN=site-ca
{now} {at} VERIFY OK: depth=0, CN={peer}
{now} {at} peer info: IV_VER=2.6.14
{now} {at} peer info: IV_PLAT=linux
{now} {at} peer info: IV_TCPNL=1
{now} {at} peer info: IV_MTU=1600
{now} {at} peer info: IV_NCP=2
{now} {at} peer info: IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305
{now} {at} peer info: IV_PROTO=990
{now} {at} TLS: move_session: dest=TM_ACTIVE src=TM_INITIAL reinit_src=1
{now} {at} TLS: tls_multi_process: initial untrusted session promoted to trusted
{now} {at} Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, peer certificate: 2048 bits RSA, \
signature: RSA-SHA256, peer temporary key: 253 bits X25519
{now} {at} [{peer}] Peer Connection Initiated with [AF_INET]{at}
{now} {peer}/{at} MULTI_sva: pool returned IPv4={inner}, IPv6=(Not enabled)
{now} {peer}/{at} MULTI: Learn: {inner} -> {peer}/{at}
{now} {peer}/{at} MULTI: primary virtual IP for {peer}/{at}: {inner}
{now} {peer}/{at} SENT CONTROL [{peer}]: 'PUSH_REPLY,route 10.20.0.0 255.255.0.0,route-gateway 10.88.0.1,topology \
subnet,ping 10,ping-restart 60,ifconfig {inner} 255.255.0.0,peer-id 1,cipher AES-256-GCM,protocol-flags cc-exit tls-ekm \
dyn-tls-crypt,tun-mtu 1500' (status=1)
{now} {peer}/{at} Data Channel: cipher 'AES-256-GCM', peer-id: 1
{now} {peer}/{at} Timers: ping 10, ping-restart 120
{now} {peer}/{at} Protocol options: protocol-flags cc-exit tls-ekm dyn-tls-crypt
"""
SOFT_RESET = """\
{now} {peer}/{at} TLS: soft reset sec=3399/3398 bytes=5132718/-1 pkts=11831/0
{now} {peer}/{at} VERIFY OK: depth=1, CN=site-ca
{now} {peer}/{at} VERIFY OK: depth=0, CN={peer}
{now} {peer}/{at} peer info: IV_VER=2.6.14
{now} {peer}/{at} peer info: IV_PLAT=linux
{now} {peer}/{at} peer info: IV_PROTO=990
{now} {peer}/{at} Outgoing Data Channel: Cipher 'AES-256-GCM' initialized with 256 bit key
{now} {peer}/{at} Incoming Data Channel: Cipher 'AES-256-GCM' initialized with 256 bit key
{now} {peer}/{at} Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, peer certificate: 2048 bits RSA, \
signature: RSA-SHA256, peer temporary key: 253 bits X25519
"""
SILENT = """\
{now} {peer}/{at} [{peer}] Inactivity timeout (--ping-restart), restarting
{now} {peer}/{at} SIGUSR1[soft,ping-restart] received, client-instance restarting
"""
NOISE = """\
{now} {peer}/{at} MULTI: bad source address from client [192.168.1.20], packet dropped
{now} {peer}/{at} MULTI: Learn: 10.20.0.77 -> {peer}/{at}
{now} MANAGEMENT: CMD 'status 2'
{now} {peer}/{at} PUSH: Received control message: 'PUSH_REQUEST'
{now} {peer}/{at} AEAD Decrypt error: bad packet ID (may be a replay): [ #4711 ] -- see the man page entry for \
--no-replay and --replay-window for more info or silence this warning with --mute-replay-warnings
"""
START = """\
{now} OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD] [DCO]
{now} UDPv4 link remote: [AF_UNSPEC]
{now} MULTI: multi_init called, r=256 v=256
{now} Initialization Sequence Completed
"""
RULES = 'counter completed\n/Peer Connection Initiated with / {\n  completed++\n}\n'


class Log:
    """A server's log of a given size, and how much of each thing is in it."""

    def __init__(self, path, size, clients):
        self.path, self.arrivals, self.soft_resets, self.written = path, 0, 0, 0
        dice = random.Random(5)
        endpoints = {}
        with open(path, "w", encoding="ascii", buffering=1 << 20) as file:
            second = 1_780_000_000
            self.written += file.write(START.format(now=self.stamp(second)))
            while self.written < size:
                second += dice.random() < 0.5
                client = dice.randrange(clients)
                values = {"now": self.stamp(second), "peer": f"site-{client:05}",
                          "inner": f"10.88.{client >> 8}.{client & 255}"}
                kind = dice.random() if client in endpoints else 0
                if kind < 0.2:
                    endpoints[client] = f"100.{64 + client % 64}.{client >> 8}.{client & 255}:{dice.randrange(1024, 65536)}"
                template = ARRIVAL if kind < 0.2 else SOFT_RESET if kind < 0.5 else SILENT if kind < 0.55 else NOISE
                self.arrivals += template is ARRIVAL
                self.soft_resets += template is SOFT_RESET
                self.written += file.write(template.format(at=endpoints[client], **values))

    known = (0, "")

    def stamp(self, second):
        if self.known[0] != second:
            self.known = second, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        return self.known[1]


class Run:
    """One program over one log: its output, the processor time it needed, and its largest size in memory."""

    def __init__(self, command, log):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"{command[0]} failed")
        self.rate = log.written / (used.ru_utime + used.ru_stime)
        self.peak = used.ru_maxrss * 1024


def measure(options, directory):
    whole = Log(os.path.join(directory, "server.log"), options.size * 1_000_000, options.clients)
    tenth = Log(os.path.join(directory, "tenth.log"), options.size * 100_000, options.clients)
    rules = os.path.join(directory, "rules.mtail")
    with open(rules, "w", encoding="ascii") as file:
        file.write(RULES)
    analyze = [os.path.join(options.bin, "uplinktool"), "openvpn", "analyze", "--json"]
    mtail = ["mtail", "-one_shot", "-progs", rules, "-logs", tenth.path, "-address", "127.0.0.1"]
    rounds = [(Run(["wc", "-l", whole.path], whole), Run([*analyze, whole.path], whole), Run([*analyze, tenth.path], tenth),
               Run(mtail, tenth)) for _ in range(options.rounds + 1)][1:]  # the first one warms the page cache up
    for name, runs in zip(("wc -l", "analyze", "analyze, a tenth", "mtail, a tenth"), zip(*rounds)):
        print(f"{name:18} {statistics.median(r.rate for r in runs) / 1e6:7.0f} MB for each second of processor time, "
              f"{statistics.median(r.peak for r in runs) / 2**20:6.1f} MiB at most")
    told = json.loads(rounds[0][1].output)
    more = statistics.median(large.peak - small.peak for _, large, small, _ in rounds)
    print(f"memory: {more / 2**20:.1f} MiB more for ten times the log")
    return [("arrivals told / in the log", told["sessions"] / whole.arrivals, 1.0, 1.0),
            ("soft resets told / in the log", told["soft_resets"] / whole.soft_resets, 1.0, 1.0),
            ("analyze / wc -l", statistics.median(ours.rate / wc.rate for wc, ours, _, _ in rounds), OF_WC, None),
            ("analyze / mtail", statistics.median(ours.rate / theirs.rate for _, ours, _, theirs in rounds), OF_MTAIL, None),
            ("4 MiB / memory more", FLAT / max(more, 1), 1.0, None)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    parser.add_argument("--size", type=int, default=1000, help="megabytes")
    parser.add_argument("--clients", type=int, default=8000, help="of the server whose log it is")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if shutil.which("mtail") is None:
        sys.exit("mtail is missing: apt-get install --no-install-recommends mtail")
    with tempfile.TemporaryDirectory() as directory:
        checks = measure(options, directory)
    failed = 0
    for name, value, least, most in checks:
        good = value >= least and (most is None or value <= most)
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {value:.2f}, {'exactly' if most == least else 'at least'} {least:.2f}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
