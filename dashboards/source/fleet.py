"""Fleet: many gateways by their carriers, and who turned when."""
from .panels import lines, stat, state, timeline
from .tables import matrix, table
from .whole import dashboard, link, variable
from .words import ORANGE, RED, VERDICTS, mapping

# The carrier is a label of uplink_info only: `labels: {carrier: ...}` in a gateway's configuration.
CARRIER = '* on (job, instance, uplink) group_left (carrier) uplink_info{,carrier=~"$carrier"}'
BAD = 'verdict!~"healthy|unknown|lossy|reflector_down"'
# Records of rules/fleet.rules.yml wherever they do: ten thousand gateways have 280,000 series of verdicts.
UNHEALTHY = "uplink:uplink_verdict:unhealthy"
RECORDED = 'uplink:uplink_info:max{,carrier=~"$carrier"}'
# Nothing unhealthy is 0 only where the rules are loaded; else there is no data.
NONE = f"0 * count ({RECORDED})"
BY_CARRIER = 'carrier:uplink_verdict:count{carrier=~"$carrier"'


def panels():
    each = "by (job, instance, uplink, carrier)"
    newest = f"topk(50, max {each} (uplink_verdict_last_change_timestamp_seconds{{}} {CARRIER}))"
    unhealthy = state(UNHEALTHY, "verdict", VERDICTS[:-1], "uplink, carrier", 'carrier=~"$carrier"')
    yield stat(
        "Gateways that report", "Agents whose newest scrape worked.", "count (uplink_exporter_build_info{})", (5, 4)
    )
    yield stat("Uplinks", "Uplinks of the carriers chosen above.", 'count (uplink_info{,carrier=~"$carrier"})', (5, 4))
    yield stat(
        "Bad uplinks",
        "Uplinks that a tunnel cannot rely on now; loss, and a reflector that is down, are not counted.",
        f'count ({UNHEALTHY}{{,carrier=~"$carrier",{BAD}}}) or {NONE}',
        (5, 4),
        steps=((1, RED),),
    )
    yield stat(
        "One-way uplinks",
        "Uplinks whose carrier no longer lets replies back.",
        f'count ({UNHEALTHY}{{,carrier=~"$carrier",verdict=~"one_way|return_lost"}}) or {NONE}',
        (5, 4),
        steps=((1, RED),),
    )
    yield stat(
        "Silent agents",
        "Agents that Prometheus cannot scrape: nobody watches their uplinks.",
        "sum (1 - up{} and on (job) uplink_exporter_build_info{})",
        (4, 4),
        steps=((1, ORANGE),),
    )
    yield matrix(
        "Verdicts by carrier",
        "How many uplinks of each carrier have each verdict now. Several gateways of one carrier that turn at "
        "once are the carrier's doing.",
        f"sum by (carrier, verdict) ({BY_CARRIER}}}) > 0",
        "carrier",
        "verdict",
        VERDICTS,
        (12, 7),
    )
    yield lines(
        "Bad uplinks by carrier",
        "Share of each carrier's uplinks that a tunnel cannot rely on, from the records of rules/fleet.rules.yml.",
        [(f"sum by (carrier) ({BY_CARRIER},{BAD}}}) / sum by (carrier) ({BY_CARRIER}}})", "{{carrier}}")],
        (12, 7),
        "percentunit",
        max=1.05,
    )
    yield lines(
        "All uplinks by verdict",
        "How many uplinks that name a carrier have each verdict, from the records of rules/fleet.rules.yml.",
        [(f"sum by (verdict) ({BY_CARRIER}}}) > 0", "{{verdict}}")],
        (12, 8),
        "short",
        stack=True,
        bars=True,
        decimals=0,
        colours=[(f"^{name}$", colour) for name, _, _, _, colour in VERDICTS],
    )
    yield table(
        "Who turned when",
        "The 50 uplinks whose verdict changed last, the newest first. A click leads to the gateway.",
        [
            f"{newest} * 1000",
            f"{unhealthy} and {newest} or {newest} * 0 + {len(VERDICTS)} and on (job, instance, uplink) {RECORDED}",
            f"sum {each} (increase(uplink_verdict_changes_total{{}}[$__range]) {CARRIER}) and {newest}",
        ],
        [
            ("Turned", "dateTimeFromNow", {"width": 140}),
            ("Into", "none", {"mappings": mapping(VERDICTS), "colour": True, "width": 170}),
            ("Changes", "short", {"decimals": 0, "width": 90}),
        ],
        (12, 8),
        [
            ("instance", "Gateway", 110, ("Gateway", link("uplink-gateway", instance="Gateway"))),
            ("uplink", "Uplink", 90, None),
            ("carrier", "Carrier", 100, None),
        ],
        sort={"displayName": "Turned", "desc": True},
    )
    yield timeline(
        "Map of what is not healthy",
        "A row for each uplink that was not healthy in the time shown, coloured while it was, from the records "
        "of rules/fleet.rules.yml. Rows that begin together have one cause.",
        [(unhealthy, "{{carrier}}: {{instance}} {{uplink}}")],
        (24, 10),
        mapping(VERDICTS),
        ("Gateway", link("uplink-gateway", instance="${__field.labels.instance}")),
    )


def make():
    return dashboard(
        "uplink-fleet",
        "Uplink: Fleet",
        "Many gateways by their carriers, and who turned when.",
        "uplink_exporter_build_info",
        [variable("carrier", "Carrier", "uplink_info{}", "carrier", ".*")],
        list(panels()),
        hours=6,
    )
