#!/usr/bin/python3
"""A loop that what a router sends into a TUN device comes out of again, later.

usage: tun_delay.py INTERFACE DELAY-MS JITTER-MS DUPLICATES-PERCENT REORDERED-PERCENT
netem is not in every kernel; this is. Prints "up" once the device is there.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 0x0001, 0x1000


def main():
    name = sys.argv[1]
    delay, jitter, duplicates, reordered = map(float, sys.argv[2:])
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "up"], check=True)
    print("up", flush=True)
    waiting, count = [], 0
    while True:
        timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        if select.select([tun], [], [], timeout)[0]:
            packet = os.read(tun, 65535)
            for _ in range(2 if random.random() * 100 < duplicates else 1):
                late = 0 if random.random() * 100 < reordered else max(0, random.gauss(delay, jitter)) / 1000
                count += 1
                heapq.heappush(waiting, (time.monotonic() + late, count, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            os.write(tun, heapq.heappop(waiting)[2])


if __name__ == "__main__":
    main()
