"""Faults of the gateway itself, which must never be blamed on a carrier."""
import time

from . import agent, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario


def _fault_and_cure(home, verdicts, fault, cure, *words, check):
    """local_fault while it lasts, with these words on the page; healthy after the cure; nobody else is blamed."""
    since = world.now()
    fault()
    print(f"local_fault after {verdicts.wait(MANSION, 'local_fault', 60, since):.1f} s")
    page = world.fetch("gw", 10177, "/")[1]
    for word in words:
        expect(word in page, f"{word!r} is not on the page")
    ok = world.scrape("gw").value("uplink_preflight_ok", uplink=MANSION, check=check)
    expect(ok == 0, f"uplink_preflight_ok of {check} is {ok}")
    time.sleep(15)
    expect(verdicts.samples[-1][1][MANSION] == "local_fault", f"it did not stay: {verdicts.history(MANSION, since)}")
    cure()
    verdicts.wait(MANSION, "healthy", 90)
    verdicts.only(MANSION, "healthy", "unknown", "local_fault", since=since)
    verdicts.only(FIVE_G, "healthy", since=since)
    home.done()


def rp_filter(strictness):
    for where in ("all", "eth2"):
        netns.sysctl("gw", **{f"net__ipv4__conf__{where}__rp_filter": strictness})


def asymmetric_routes():
    """The other uplink has the better default route, so that replies on eth2 come in where none would leave."""
    netns.ip("gw", f"route add default via {topology.CARRIER} dev eth2 metric 100",
             f"route add default via {topology.ROUTER_5G} dev eth1 metric 10",
             f"route del default via {topology.CARRIER} dev eth2 metric 0")


@scenario(200)
def rp_filter_with_asymmetric_routes():
    """strict reverse path filtering drops every reply: local_fault with the sysctl to set, no carrier blamed"""
    home = Home(probe={"holds": []})
    asymmetric_routes()
    verdicts = home.healthy()
    _fault_and_cure(home, verdicts, lambda: rp_filter(1), lambda: rp_filter(2), "net.ipv4.conf.eth2.rp_filter=2",
                    check="rp_filter")


@scenario(120)
def strict_rp_filter_with_symmetric_routes():
    """strict filtering alone is no fault where the way back is the way out"""
    home = Home(probe={"holds": []})
    rp_filter(1)
    home.start_agent()
    home.verdicts.wait(MANSION, "healthy", 60)
    time.sleep(20)
    home.verdicts.only(MANSION, "unknown", "healthy")
    expect(world.scrape("gw").value("uplink_preflight_ok", uplink=MANSION, check="rp_filter") == 1, "the check fails")
    home.done()


def filter_rule(chain, match):
    netns.run("gw", "nft", "-f", "-", stdin=f"""
table ip own
delete table ip own
table ip own {{
  chain own {{ type filter hook {chain} priority filter; {match} drop; }}
}}
""")


def no_filter():
    netns.run("gw", "nft", "delete", "table", "ip", "own")


@scenario(200)
def input_rule_drops_the_replies():
    """a rule of the gateway's own firewall drops the replies: local_fault, because they were seen to arrive"""
    home = Home(probe={"holds": []})
    verdicts = home.healthy()
    _fault_and_cure(home, verdicts, lambda: filter_rule("input", f'iifname "eth2" udp sport {agent.PORT}'), no_filter,
                    "arrived on eth2 and reached no socket", "INPUT", check="input")


@scenario(200)
def output_rule_drops_the_probes():
    """the same on the way out: the kernel refuses to send, local_fault says so"""
    home = Home(probe={"holds": []})
    verdicts = home.healthy()
    _fault_and_cure(home, verdicts, lambda: filter_rule("output", f'oifname "eth2" udp dport {agent.PORT}'), no_filter,
                    "refuses to send", check="output")
