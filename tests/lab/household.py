"""The seed's household with everything that watches it: both uplinks, a real tunnel, the agent, Prometheus, Alertmanager."""
from . import agent, monitoring, nat, openvpn, topology, world
from .agent import FIVE_G, MANSION
from .registry import expect

CONFIG = f"""
uplinks:
  - {{name: {MANSION}, interface: eth2, labels: {{carrier: mansion-isp, asn: "64500"}}}}
  - {{name: {FIVE_G}, interface: eth1, gateway: {topology.ROUTER_5G},   # no default route leads there
     labels: {{carrier: mobile-isp}}}}
reflectors:
  - {{name: cloud, address: "{topology.CLOUD}:{agent.PORT}", key_file: {agent.KEY_FILE}}}
witnesses: []
openvpn:
  - {{name: cloud, log: {openvpn.CLIENT_LOG}, reflector: cloud}}
"""


class Household:
    """Raises it all; `factors` scale the durations of the rules (see monitoring.copy_rules)."""

    def __init__(self, forwards=None, more_config="", more_openvpn="", more_server="", **factors):
        self.begun = world.now()
        topology.build()
        self.carrier = nat.carrier()
        nat.router_5g()
        agent.write_key()
        openvpn.make_certificates()
        openvpn.start_server(more=more_openvpn + more_server)
        self.reflector = agent.start_reflector()
        openvpn.start_client(more=more_openvpn)
        path = agent.write("/run/lab/agent.yml", CONFIG + more_config)
        self.agent = world.Process("gw", "agent", [agent.program("uplink_exporter"), "--config.file", path])
        self.pager = monitoring.Pager()
        monitoring.start(forwards, **factors)
        world.wait_until(lambda: agent.answers("gw", 10177, "/-/ready") or self.agent.must_live(), 20, "the agent's page")
        self.verdicts = agent.Verdicts()
        self.firing = monitoring.Firing()

    def healthy(self):
        """Until both uplinks are healthy, the tunnel stands, and Prometheus has seen so."""
        for uplink in (MANSION, FIVE_G):
            self.verdicts.wait(uplink, "healthy", 60, self.begun)
        world.wait_until(openvpn.reaches_home, 30, "the cloud reaching the home through the tunnel")
        monitoring.wait_for('openvpn_state{tunnel="cloud",state="connected"} == 1', 30)
        monitoring.wait_for("threshold:openvpn_reconnects:increase5m", 30)
        return self

    def times(self, fault, verdict, alert, page, uplink=MANSION):
        """Seconds from a fault to the agent's verdict, to the rule and to the page, in words."""
        return (f"from the fault to the agent's verdict {self.verdicts.wait(uplink, verdict, 0, fault):.1f} s, to the rule "
                f"{self.firing.since[alert, uplink] - fault:.1f} s, to the page {page.at - fault:.1f} s")

    def one_page(self, alert, **labels):
        """Fails unless all that anybody was woken by is this one page and, where it is over, its resolve."""
        pages = self.pager.pages()
        expect([p.status for p in pages] in (["firing"], ["firing", "resolved"]) and {p.name for p in pages} == {alert} and
               all(labels.items() <= p.labels.items() for p in pages), f"one page about {alert} {labels} was due: {pages}")

    def done(self):
        self.verdicts.stop()
        self.firing.stop()
        expect(self.pager.alive >= 1, "the watchdog never reached its receiver")
        for process in world.Process.everyone:
            process.must_live()
