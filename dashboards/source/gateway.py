"""Gateway: which uplink is bad, since when and why; what that does to tunnels and routes."""
from .panels import lines, row, state, timeline
from .tables import table
from .whole import dashboard, link, variable
from .words import DIAGNOSES, RED, SCOPES, STATES, VERDICTS, YELLOW, flag, mapping

U = 'uplink=~"$uplink"'
BY = "by (job, instance, uplink)"
LOSS = {"decimals": 0, "steps": ((0.05, YELLOW), (0.2, RED)), "colour": True, "width": 90}


def probes(fate, more=U):
    return f"sum {BY} (rate(uplink_udp_{fate}_total{{,{more}}}[]))"


def lost(way):
    """Of the probes whose fate is known, the ratio that was lost this way: a loss is known later than a probe is sent."""
    fates = [probes(fate) for fate in ("replies_received", "return_lost", "forward_lost", "unattributed_lost")]
    return f"{probes(way + '_lost')} / ({' + '.join(fates)})"


def uplinks_now():
    verdict = state("uplink_verdict", "verdict", VERDICTS, "uplink", U)
    return table(
        "Which uplink is bad, and why",
        "One row for each uplink, the worst first: what is concluded, why, and what helps. The agent's own page says it with all "
        "figures. The losses are those of UDP probes, out to the far end and on the way back.",
        [
            verdict,
            verdict,
            verdict,
            f"max {BY} (uplink_verdict_last_change_timestamp_seconds{{,{U}}}) * 1000",
            lost("forward"),
            lost("return"),
            state("uplink_fault_scope", "scope", SCOPES, "uplink", U),
            f"max {BY} (uplink_udp_last_reply_timestamp_seconds{{,{U}}}) * 1000",
            f"max {BY} (uplink_link_up{{,{U}}})",
            f"max {BY} (uplink_default_route{{,{U}}})",
        ],
        [
            ("Verdict", "none", {"mappings": mapping(VERDICTS), "colour": True, "width": 150}),
            ("Why", "none", {"mappings": mapping(VERDICTS, 2), "wrap": True, "width": 280}),
            ("What helps", "none", {"mappings": mapping(VERDICTS, 3), "wrap": True, "width": 250}),
            ("Since", "dateTimeFromNow", {"width": 120}),
            ("Lost out", "percentunit", LOSS),
            ("Lost back", "percentunit", LOSS),
            ("Fault lies in", "none", {"mappings": mapping(SCOPES), "width": 110}),
            ("Last reply", "dateTimeFromNow", {"width": 130}),
            ("Link", "none", {"mappings": flag("down", "up"), "width": 55}),
            ("Default route", "none", {"mappings": flag("no", "yes", "text"), "width": 105}),
        ],
        (24, 6),
        [
            ("instance", "Gateway", 100, None),
            ("uplink", "Uplink", 100, ("Return path", link("uplink-return-path", instance="Gateway", uplink="Uplink"))),
        ],
        sort={"displayName": "Verdict", "desc": False},
    )


def panels():
    verdict = state("uplink_verdict", "verdict", VERDICTS, "uplink", U)
    steady = U + ',flow="steady"'
    arrived = probes("probes_delivered", steady)
    arrives = f"{arrived} / ({arrived} + {probes('forward_lost', steady)} + {probes('unattributed_lost', steady)})"
    returns = f"clamp_max({probes('replies_received', steady)} / {probes('probes_sent', steady)}, 1)"
    yield uplinks_now()
    yield timeline(
        "Verdict of each uplink",
        "When each uplink turned, and into what. Green is healthy.",
        [(verdict, "{{instance}} {{uplink}}")],
        (16, 7),
        mapping(VERDICTS),
        (
            "Return path",
            link("uplink-return-path", instance="${__field.labels.instance}", uplink="${__field.labels.uplink}"),
        ),
    )
    yield table(
        "Alerts firing now",
        "Alerts of rules/ that fire on these gateways; the runbook of each is in rules/README.md.",
        [
            "count by (alertname, severity, instance, uplink, tunnel) "
            '(ALERTS{,alertstate="firing",alertname=~"Uplink.+",severity!="none"})'
        ],
        [],
        (8, 7),
        [
            ("alertname", "Alert", 205, None),
            ("severity", "Severity", 70, None),
            ("uplink", "Uplink", 70, ("Return path", link("uplink-return-path", instance="Gateway", uplink="Uplink"))),
            ("tunnel", "Tunnel", 60, ("OpenVPN", link("uplink-openvpn", instance="Gateway", tunnel="Tunnel"))),
            ("instance", "Gateway", 90, None),
        ],
        hidden=["Value"],
    )
    yield lines(
        "UDP probes that arrive",
        "Of the probes of the steady flow (one port for hours, as a tunnel has) the share known to have reached "
        "the far end, by its own word. Where this stays at 100 % and the panel beside it falls, the uplink is one-way.",
        [(arrives, "{{instance}} {{uplink}}")],
        (8, 8),
        "percentunit",
        interval="30s",
        gaps=True,
        max=1.05,
    )
    yield lines(
        "UDP replies that come back",
        "Of the probes of the steady flow the share that was answered. A fall here alone is a lost return path; a "
        "fall in both is loss on the way out, a filter or an outage.",
        [(returns, "{{instance}} {{uplink}}")],
        (8, 8),
        "percentunit",
        interval="30s",
        max=1.05,
    )
    yield lines(
        "Round-trip time",
        "19 of 20 answered probes were quicker than this.",
        [
            (
                f"histogram_quantile(0.95, sum by (job, instance, uplink, le) (rate(uplink_udp_rtt_seconds_bucket{{,{U}}}[])))",
                "{{instance}} {{uplink}}",
            )
        ],
        (8, 8),
        "s",
    )
    yield row("Tunnels and routes")
    yield timeline(
        "Tunnels",
        "State of each OpenVPN tunnel, and what its sources amount to.",
        [(state("openvpn_state", "state", STATES, "tunnel"), "{{instance}} {{tunnel}}")],
        (8, 6),
        mapping(STATES),
    )
    yield timeline(
        "Diagnosis of the tunnels",
        "What the tunnel's log, status and management socket amount to. A one-way loop passes its "
        "handshakes and then hears nothing.",
        [(state("openvpn_diagnosis", "diagnosis", DIAGNOSES, "tunnel"), "{{instance}} {{tunnel}}")],
        (8, 6),
        mapping(DIAGNOSES),
        ("OpenVPN", link("uplink-openvpn", instance="${__field.labels.instance}", tunnel="${__field.labels.tunnel}")),
    )
    yield lines(
        "Reconnects",
        "Reconnects of each tunnel by the reason that it logged. `ping-restart` again and again is a loop.",
        [
            (
                "sum by (job, instance, tunnel, reason) (increase(openvpn_reconnects_total{}[])) > 0",
                "{{instance}} {{tunnel}}: {{reason}}",
            )
        ],
        (8, 6),
        "short",
        stack=True,
        bars=True,
        decimals=0,
    )
    yield timeline(
        "Where watched destinations leave",
        "The uplink that the kernel sends each destination of `routes:` through, from "
        "its own table. A row that ends is a route that changed.",
        [
            (
                "max by (job, instance, destination, uplink, interface) (uplink_route_info{})",
                "{{destination}} by {{interface}} {{uplink}}",
            )
        ],
        (12, 5),
        flag("", "in force"),
    )
    yield timeline(
        "Routes as configured",
        "Whether each destination of `routes:` leaves through the uplink that the configuration names.",
        [("max by (job, instance, destination, uplink) (uplink_route_match{})", "{{destination}} through {{uplink}}")],
        (12, 5),
        flag("another way", "as configured"),
    )
    yield row("This gateway")
    yield timeline(
        "Preflight",
        "Whether the gateway itself lets probes out and replies in. What fails here is no carrier's fault.",
        [(f"min by (job, instance, uplink, check) (uplink_preflight_ok{{,{U}}})", "{{uplink}}: {{check}}")],
        (8, 7),
        flag("fails", "passes"),
    )
    yield timeline(
        "Sources of data",
        "Whether each collector of the agent works. What is off tells nothing; its page names the remedy.",
        [("min by (job, instance, collector) (uplink_exporter_collector_up{})", "{{instance}} {{collector}}")],
        (8, 7),
        flag("off", "works"),
    )
    yield lines(
        "Flows of the household",
        "UDP flows a second of all hosts behind this gateway, and those that never saw a packet come back. With a "
        "one-way uplink the second line nears the first, although nobody probes.",
        [
            (f"sum {BY} (rate(uplink_conntrack_udp_{kind}flows_total{{,{U}}}[]))", "{{instance}} {{uplink}}: " + name)
            for kind, name in (("", "begun"), ("unreplied_", "without an answer"))
        ],
        (8, 7),
        "cps",
        colours=(("without", RED),),
    )


def make():
    return dashboard(
        "uplink-gateway",
        "Uplink: Gateway",
        "Which uplink is bad, since when and why, and what that does to the tunnels. Read the first table.",
        "uplink_exporter_build_info",
        [variable("uplink", "Uplink", "uplink_info{}", "uplink", ".*")],
        list(panels()),
    )
