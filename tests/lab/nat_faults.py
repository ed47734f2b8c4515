"""More of what carriers' NATs do to UDP. Behaviours of nat.Nat, by name, in the words of nat.py."""
import threading

from . import topology


class NatFaults:
    """Mixed into nat.Nat, which has _behave() and forget_udp()."""

    _forgetter = None

    def outbound_refresh(self, seconds):
        """a5: only what the subscriber sends keeps a mapping; replies pass for so long after it."""
        out, back = ("ip saddr . udp sport . ip daddr . udp dport", "ip daddr . udp dport . ip saddr . udp sport")
        self._behave(f"""
  set fresh {{
    type ipv4_addr . inet_service . ipv4_addr . inet_service; flags dynamic,timeout; size 65535;
    timeout {round(seconds * 1000)}ms;
  }}
  chain onward {{
    type filter hook forward priority filter;
    iifname $in meta l4proto udp update @fresh {{ {out} }}
    iifname $out meta l4proto udp {back} != @fresh {self.NOTE} drop
  }}""")

    def forget_every(self, seconds):
        """e: a full table throws its mappings away every `seconds`, as one that evicts the oldest does to idle flows.

        A flow that sends gets its mapping, and its port, back at once.
        """
        stop = threading.Event()
        self._forgetter = (stop, threading.Thread(target=self._forget, args=(seconds, stop), daemon=True))
        self._forgetter[1].start()

    def _forget(self, seconds, stop):
        while True:
            self.forget_udp()
            if stop.wait(seconds):
                return

    def stop_forgetting(self):
        if self._forgetter:
            self._forgetter[0].set()
            self._forgetter[1].join()
            self._forgetter = None

    def rebind_every(self, seconds):
        """UDP mappings are thrown away every `seconds` and come back with another outer port."""
        self.symmetric()
        self.forget_every(seconds)

    def rotating_ports(self):
        """f: every packet leaves from another outer port, and its reply finds its way."""
        self._behave(f"""
  chain early {{
    type filter hook prerouting priority raw;
    iifname $in meta l4proto udp ct original zone set numgen inc mod 60000 offset 1
  }}
  chain post {{
    type nat hook postrouting priority srcnat - 5;
    oifname $out meta l4proto udp snat to {topology.POOL}:1024-65535 fully-random
  }}""")

    def rotating_ports_without_return(self):
        """f: every packet leaves from another outer port, and nothing is tracked."""
        self._behave(f"""
  chain early {{
    type filter hook prerouting priority raw;
    iifname $out meta l4proto udp {self.NOTE}
    meta l4proto udp notrack
  }}
  chain rewrite {{
    type filter hook postrouting priority srcnat;
    oifname $out meta l4proto udp ip saddr set {topology.POOL} udp sport set numgen inc mod 4 map {{ 0 : 20001, 1 : 20002, 2 : 20003, 3 : 20004 }}
  }}""")

    def rate_limit(self, packets_per_second):
        """g: a subscriber's UDP packets above this rate are dropped on the way out."""
        self._behave(f"""
  chain onward {{
    type filter hook forward priority filter;
    iifname $in meta l4proto udp limit rate over {packets_per_second}/second burst 5 packets {self.NOTE} drop
  }}""")

    def bursts(self, forward=0, back=0):
        """i: losses in bursts of a second; a packet in so many thousand begins one. By direction, UDP alone."""
        sets, rules = [], []
        for name, side, chance in (("out", "$in", forward), ("back", "$out", back)):
            if not chance:
                continue
            sets.append(f"set bad_{name} {{ type mark; flags dynamic,timeout; timeout 1s; size 4; }}")
            rules.append(f"iifname {side} meta l4proto udp meta mark @bad_{name} {self.NOTE} drop")
            rules.append(f"iifname {side} meta l4proto udp numgen random mod 1000 < {chance} add @bad_{name} {{ meta mark }}")
        newline = "\n    "
        self._behave(f"""
  {newline.join(sets)}
  chain onward {{
    type filter hook forward priority filter;
    {newline.join(rules)}
  }}""")
