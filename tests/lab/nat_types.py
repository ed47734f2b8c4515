"""What a NAT is in the words of RFC 4787: how it maps, and what it lets in. Behaviours of nat.Nat, by name.

All of them translate to the carrier's one address; a gateway that is alone behind it keeps its ports where the
behaviour does not say otherwise.
"""
from . import topology


class NatTypes:
    """Mixed into nat.Nat, which has _behave() and _timers()."""

    def port_restricted(self):
        """Endpoint-independent mapping, address- and port-dependent filtering: what Linux does."""
        self.normal()

    def symmetric(self):
        """c: address- and port-dependent mapping: another outer port for every destination."""
        self._behave("""
  chain post {
    type nat hook postrouting priority srcnat - 5;
    oifname $out meta l4proto udp snat to %s:1024-65535 fully-random
  }""" % topology.POOL)

    def address_dependent(self):
        """c: address-dependent mapping: another outer port for every destination address, whatever its port."""
        self._behave("""
  chain post {
    type nat hook postrouting priority srcnat - 5;
    oifname $out meta l4proto udp snat ip to %s : jhash ip saddr . udp sport . ip daddr mod 40000 offset 20000
  }""" % topology.POOL)

    def full_cone(self):
        """d: endpoint-independent mapping and filtering: whoever knows the outer port reaches the inner one."""
        self._learned("inet_service", "udp sport", "udp dport")

    def full_cone_for(self, seconds):
        """The same, which forgets after so many idle seconds."""
        self._learned("inet_service", "udp sport", "udp dport", seconds, self._timers(seconds, seconds))

    def address_restricted(self):
        """d: endpoint-independent mapping, address-dependent filtering: any port of an address that was sent to."""
        self._learned("inet_service . ipv4_addr", "udp sport . ip daddr", "udp dport . ip saddr")

    def _learned(self, key, out, back, seconds=30, more=""):
        """What leaves is remembered under `out` for so long; what comes in is let in where `back` finds it."""
        self._behave(more + f"""
  map learned {{ type {key} : ipv4_addr . inet_service; flags dynamic,timeout; timeout {seconds}s; size 65535; }}
  chain early {{
    type nat hook prerouting priority dstnat;
    iifname $out ip daddr {topology.POOL} meta l4proto udp dnat ip to {back} map @learned
  }}
  chain learn {{
    type filter hook postrouting priority srcnat - 1;
    oifname $out meta l4proto udp update @learned {{ {out} : ip saddr . udp sport }}
  }}""")

    def rotating_ports(self):
        """f: every packet leaves from another outer port; every reply still comes back."""
        self._behave("""
  chain early {
    type filter hook prerouting priority raw;
    iifname $in meta l4proto udp ct original zone set numgen inc mod 60000 offset 1
  }
  chain post {
    type nat hook postrouting priority srcnat - 5;
    oifname $out meta l4proto udp snat to %s:1024-65535 fully-random
  }""" % topology.POOL)
