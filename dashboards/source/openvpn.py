"""OpenVPN: whether tunnels stand, why they restart, and who is connected to a server."""
from .panels import heatmap, lines, row, state, timeline
from .tables import table
from .whole import dashboard, link, variable
from .words import DIAGNOSES, GREEN, ORANGE, RED, STATES, flag, mapping

T = 'tunnel=~"$tunnel"'
BY = "by (job, instance, tunnel)"


def tunnels_now():
    diagnosis = state("openvpn_diagnosis", "diagnosis", DIAGNOSES, "tunnel", T)
    return table(
        "Which tunnel is bad, and why",
        "One row for each tunnel, the worst first: its state, what its sources amount to, and what helps.",
        [
            diagnosis,
            diagnosis,
            diagnosis,
            state("openvpn_state", "state", STATES, "tunnel", T),
            f"max {BY} (openvpn_last_connected_timestamp_seconds{{,{T}}}) * 1000",
            f"sum {BY} (increase(openvpn_reconnects_total{{,{T}}}[$__range]))",
            f"max {BY} (openvpn_keepalive_ping_seconds{{,{T}}})",
            f"max {BY} (openvpn_keepalive_restart_seconds{{,{T}}})",
        ],
        [
            ("Diagnosis", "none", {"mappings": mapping(DIAGNOSES), "colour": True, "width": 160}),
            ("Why", "none", {"mappings": mapping(DIAGNOSES, 2), "wrap": True, "width": 265}),
            ("What helps", "none", {"mappings": mapping(DIAGNOSES, 3), "wrap": True, "width": 240}),
            ("State", "none", {"mappings": mapping(STATES), "colour": True, "width": 160}),
            ("Last connected", "dateTimeFromNow", {"width": 125}),
            ("Reconnects", "short", {"decimals": 0, "width": 100}),
            ("Pings after", "s", {"width": 100}),
            ("Restarts after", "s", {"width": 110}),
        ],
        (24, 5),
        [
            ("instance", "Host", 100, ("Gateway", link("uplink-gateway", instance="Host"))),
            ("tunnel", "Tunnel", 80, None),
        ],
        sort={"displayName": "Diagnosis", "desc": False},
    )


def panels():
    yield tunnels_now()
    yield timeline(
        "State",
        "State of each tunnel.",
        [(state("openvpn_state", "state", STATES, "tunnel", T), "{{instance}} {{tunnel}}")],
        (12, 6),
        mapping(STATES),
    )
    yield timeline(
        "Diagnosis",
        "What the sources of each tunnel amount to.",
        [(state("openvpn_diagnosis", "diagnosis", DIAGNOSES, "tunnel", T), "{{instance}} {{tunnel}}")],
        (12, 6),
        mapping(DIAGNOSES),
    )
    yield lines(
        "Reconnects by reason",
        "By the reason that was logged and the state that the tunnel left. `ping-restart` from connected, again "
        "and again, is a loop; from wait, nothing answers; `new_session` is a client that comes back to a server.",
        [
            (
                f"sum by (job, instance, tunnel, reason, from) (increase(openvpn_reconnects_total{{,{T}}}[])) > 0",
                "{{instance}} {{tunnel}}: {{reason}} from {{from}}",
            )
        ],
        (8, 8),
        "short",
        stack=True,
        bars=True,
        decimals=0,
    )
    yield heatmap(
        "How long sessions lasted",
        "Ended sessions by how long they had been connected. All in one low band, at the keepalive's "
        "restart: a one-way loop.",
        f"sum by (le) (increase(openvpn_session_duration_seconds_bucket{{,{T}}}[]))",
        (8, 8),
        "s",
    )
    yield lines(
        "Handshakes",
        "TLS handshakes begun, completed and failed. Completed ones that do not end the reconnects are the sign "
        "of a NAT that forgets.",
        [
            (f"sum {BY} (increase(openvpn_handshakes_{what}_total{{,{T}}}[]))", "{{instance}} {{tunnel}}: " + what)
            for what in ("started", "completed", "failed")
        ],
        (8, 8),
        "short",
        colours=(("failed", RED),),
    )
    yield lines(
        "Changes of the endpoint, and soft resets",
        "Changes of the peer's address or port, and renewals of keys within a session: " "the latter are harmless.",
        [
            (
                f"sum {BY} (increase(openvpn_endpoint_changes_total{{,{T}}}[]))",
                "{{instance}} {{tunnel}}: endpoint changes",
            ),
            (f"sum {BY} (increase(openvpn_soft_resets_total{{,{T}}}[]))", "{{instance}} {{tunnel}}: soft resets"),
        ],
        (8, 8),
        "short",
    )
    yield lines(
        "Traffic",
        "Octets a second through the transport. Sent and not received: the return path is dead.",
        [
            (f"sum {BY} (rate(openvpn_received_bytes_total{{,{T}}}[]))", "{{instance}} {{tunnel}}: received"),
            (f"sum {BY} (rate(openvpn_sent_bytes_total{{,{T}}}[]))", "{{instance}} {{tunnel}}: sent"),
        ],
        (8, 8),
        "Bps",
    )
    yield timeline(
        "Sources",
        "Whether the log, journal, status file or management socket of each tunnel can be read.",
        [
            (
                f"min by (job, instance, tunnel, source) (openvpn_source_up{{,{T}}})",
                "{{instance}} {{tunnel}}: {{source}}",
            )
        ],
        (8, 8),
        flag("off", "read"),
    )
    yield row("Servers")
    yield lines(
        "Clients of a server",
        "Authenticated sessions, and those whose handshake is not done. Many of the latter that do not become "
        "the former: somebody knocks, or replies do not reach them.",
        [
            (f"sum {BY} (openvpn_server_connected_clients{{,{T}}})", "{{instance}} {{tunnel}}: connected"),
            (
                f"sum {BY} (openvpn_server_unauthenticated_clients{{,{T}}})",
                "{{instance}} {{tunnel}}: handshake not done",
            ),
        ],
        (10, 8),
        "short",
        colours=(("connected", GREEN), ("not done", ORANGE)),
        decimals=0,
    )
    client = "by (job, instance, tunnel, common_name)"
    yield table(
        "Clients by name",
        "Needs `clients: {series: N}`. More than one session shares a certificate; arrivals that go on are a loop, and "
        "changes of the endpoint say from how many ports.",
        [
            f"sum {client} (openvpn_server_client_sessions{{,{T}}})",
            f"sum {client} (increase(openvpn_server_client_arrivals_total{{,{T}}}[$__range]))",
            f"sum {client} (increase(openvpn_server_client_endpoint_changes_total{{,{T}}}[$__range]))",
            f"sum {client} (increase(openvpn_server_client_received_bytes_total{{,{T}}}[$__range]))",
            f"sum {client} (increase(openvpn_server_client_sent_bytes_total{{,{T}}}[$__range]))",
        ],
        [
            ("Sessions", "short", {"steps": ((2, ORANGE),), "colour": True, "width": 100}),
            ("Arrivals", "short", {"decimals": 0, "width": 100}),
            ("Endpoint changes", "short", {"decimals": 0, "width": 130}),
            ("Received", "bytes", {}),
            ("Sent", "bytes", {}),
        ],
        (14, 8),
        [("instance", "Host", 110, None), ("tunnel", "Tunnel", 90, None), ("common_name", "Client", 120, None)],
        sort={"displayName": "Arrivals", "desc": True},
    )


def make():
    return dashboard(
        "uplink-openvpn",
        "Uplink: OpenVPN",
        "Whether tunnels stand, why they restart, and who is connected to a server.",
        "uplink_exporter_build_info",
        [variable("tunnel", "Tunnel", "openvpn_state{}", "tunnel", ".*")],
        list(panels()),
        hours=6,
    )
