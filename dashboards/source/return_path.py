"""Return path: for how long replies come back after the last packet out, and which way packets are lost."""
from .panels import cells, heatmap, lines, row, state, timeline
from .tables import table
from .whole import dashboard, variable
from .words import GREEN, GREY, ORANGE, RED, SCOPES, VERDICTS, mapping

PATH = 'uplink=~"$uplink",reflector=~"$reflector"'
BY = "by (job, instance, uplink, reflector)"


def holds(pattern, size, title, description):
    """Time x hold x success. Blanks before short numbers make the rows stand in the order of their length."""
    sums = [
        f'sum by (uplink, reflector, hold) (increase(uplink_udp_hold_{what}_total{{,{PATH},pattern="{pattern}"}}[]))'
        for what in ("replies", "probes")
    ]
    ratio = f"clamp_max({sums[0]} / ({sums[1]} > 0), 1)"
    padded = f'label_replace(label_replace({ratio}, "hold", "  $1", "hold", "(.)"), "hold", " $1", "hold", "(..)")'
    return cells(title, description, padded, "{{hold}} s", size, interval="5m")


def panels():
    yield timeline(
        "Verdict of each path",
        "An uplink towards one reflector, each judged by itself.",
        [
            (
                state("uplink_path_verdict", "verdict", VERDICTS, "uplink, reflector", PATH),
                "{{instance}} {{uplink}} to {{reflector}}",
            )
        ],
        (12, 6),
        mapping(VERDICTS),
    )
    yield timeline(
        "Where the fault lies",
        "How far away the fault is: this gateway, the home, the carrier, or beyond it.",
        [(state("uplink_fault_scope", "scope", SCOPES, "uplink", 'uplink=~"$uplink"'), "{{instance}} {{uplink}}")],
        (12, 6),
        mapping(SCOPES),
    )
    yield table(
        "What the NAT does",
        "In the words of RFC 4787: whether a flow keeps its outer port towards another host (mapping), who may answer it "
        "(filtering), and whether a NAT that is not at home stands on the way. Unknown where nothing could tell.",
        ["max by (job, instance, uplink, mapping, filtering, carrier_grade) " '(uplink_nat_info{,uplink=~"$uplink"})'],
        [],
        (24, 4),
        [
            ("instance", "Gateway", 150, None),
            ("uplink", "Uplink", 150, None),
            ("mapping", "Mapping", 300, None),
            ("filtering", "Filtering", 300, None),
            ("carrier_grade", "NAT of the carrier", 200, None),
        ],
        hidden=["Value"],
    )
    yield row("$uplink", repeat="uplink")
    yield holds(
        "stream",
        (12, 8),
        "Silence survived after a talk",
        "Time x silence x success: of flows that had talked for 3 s and were then silent for so many seconds, the share whose "
        "reply still came back. A tunnel is such a flow; its keepalive must be shorter than the first red row.",
    )
    yield holds(
        "solitary",
        (12, 8),
        "Silence survived after a single packet",
        "The same for flows that had sent one packet: what a NAT grants a flow that was never answered.",
    )
    yield lines(
        "Lifetime of a mapping against the keepalive",
        "The NAT forgets a silent flow somewhere between the two lines: the longest silence that was survived, and the shortest that "
        "was not (none is drawn where every silence tried was survived). A keepalive above the lower line breaks the tunnel.",
        [
            (f'uplink_udp_mapping_lifetime_seconds{{,{PATH},bound="lower"}}', "{{pattern}}: survived"),
            (f'uplink_udp_mapping_lifetime_seconds{{,{PATH},bound="upper"}} < Inf', "{{pattern}}: forgotten"),
            ("min by (job, instance, tunnel) (openvpn_keepalive_ping_seconds{})", "keepalive of tunnel {{tunnel}}"),
        ],
        (12, 8),
        "s",
        colours=(("survived", GREEN), ("forgotten", RED), ("keepalive", "blue")),
    )
    yield heatmap(
        "Round-trip time",
        "Answered probes by their round-trip time, without the reflector's own delay. Two bands are two ways.",
        f"sum by (le) (increase(uplink_udp_rtt_seconds_bucket{{,{PATH}}}[]))",
        (12, 8),
        "s",
    )
    yield lines(
        "What became of the probes",
        "Each probe ends as exactly one of these. Orange is lost on the way back, red on the way out.",
        [
            (f"sum (rate(uplink_udp_{what}_total{{,{PATH}}}[]))", name)
            for what, name in (
                ("replies_received", "answered"),
                ("return_lost", "lost on the way back"),
                ("forward_lost", "lost on the way out"),
                ("unattributed_lost", "lost, nobody knows where"),
            )
        ],
        (8, 8),
        "pps",
        stack=True,
        colours=(("answered", GREEN), ("back", ORANGE), ("out", RED), ("nobody", GREY)),
    )
    yield lines(
        "Old flows and new ones",
        "Share of the probes answered, on the steady flow (one port for hours, as a tunnel has) and on fresh "
        "ones (new ports). New ones alone: a stuck mapping. Old ones alone: no new flows are accepted.",
        [
            (
                f"clamp_max(sum by (flow) (rate(uplink_udp_replies_received_total{{,{PATH}}}[])) "
                f"/ sum by (flow) (rate(uplink_udp_probes_sent_total{{,{PATH}}}[])), 1)",
                "{{flow}}",
            )
        ],
        (8, 8),
        "percentunit",
        max=1.05,
    )
    yield lines(
        "TCP beside it, and what the NAT did",
        "TCP connections to the reflector that were established and that failed, changes of "
        "the address or port that the NAT gives the steady flow, and ICMP errors.",
        [
            (
                f"sum (rate(uplink_tcp_connects_total{{,{PATH}}}[])) - sum (rate(uplink_tcp_connect_failures_total{{,{PATH}}}[]))",
                "TCP works",
            ),
            (f"sum (rate(uplink_tcp_connect_failures_total{{,{PATH}}}[]))", "TCP fails"),
            (f"sum by (part) (rate(uplink_udp_mapped_endpoint_changes_total{{,{PATH}}}[]))", "{{part}} re-bound"),
        ],
        (8, 8),
        "ops",
        colours=(("works", GREEN), ("fails", RED)),
    )


def make():
    return dashboard(
        "uplink-return-path",
        "Uplink: Return path",
        "For how long replies come back after the last packet out, and which way packets are lost.",
        "uplink_exporter_build_info",
        [
            variable("uplink", "Uplink", "uplink_info{}", "uplink", ".*"),
            variable("reflector", "Reflector", 'uplink_udp_probes_sent_total{,uplink=~"$uplink"}', "reflector", ".*"),
        ],
        list(panels()),
        hours=6,
    )
