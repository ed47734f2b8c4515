"""Reflector: whether it answers all that it is sent, and how near its limits it is."""
from .panels import lines, stat
from .whole import dashboard
from .words import RED, YELLOW, flag

BY = "by (job, instance)"
# Every program has process_ metrics; these are the reflectors.
OURS = "and on (job, instance) uplink_reflector_build_info{}"


def rate(metric, by=BY):
    return f"sum {by} (rate({metric}{{}}[]))"


def panels():
    yield stat(
        "Sessions",
        "Share of the sessions that may be held. At the limit, new flows are refused while old ones go on.",
        "uplink_reflector_sessions{} / uplink_reflector_sessions_limit{}",
        (6, 4),
        "percentunit",
        "{{instance}}",
        ((0.7, YELLOW), (0.9, RED)),
        decimals=1,
    )
    yield stat(
        "Replies held back",
        "Share of the replies that may wait at once.",
        "uplink_reflector_holds_pending{} / uplink_reflector_holds_limit{}",
        (6, 4),
        "percentunit",
        "{{instance}}",
        ((0.7, YELLOW), (0.9, RED)),
        decimals=1,
    )
    yield stat(
        "Newest file",
        "refused: an older configuration is in force, and a gateway with a new key is not answered. The log names the place.",
        "uplink_reflector_config_last_reload_successful{}",
        (6, 4),
        "none",
        "{{instance}}",
        mappings=flag("refused", "in force"),
    )
    yield stat(
        "Dropped by the kernel",
        "Datagrams a second that found the receive buffer full. Anything above zero looks like loss to every gateway, and no "
        "line has it.",
        rate("uplink_reflector_kernel_drops_total"),
        (6, 4),
        "pps",
        "{{instance}}",
        ((0.01, RED),),
    )
    yield lines(
        "Datagrams by outcome",
        "`reflected` and `held` are the good ones; each other word is a reason to drop.",
        [(rate("uplink_reflector_packets_total", "by (job, instance, outcome)") + " > 0", "{{instance}} {{outcome}}")],
        (12, 8),
        "pps",
    )
    yield lines(
        "Queries by outcome",
        'What gateways asked over TCP ("what did you receive?"), by what was answered.',
        [(rate("uplink_reflector_queries_total", "by (job, instance, outcome)") + " > 0", "{{instance}} {{outcome}}")],
        (12, 8),
        "reqps",
    )
    yield lines(
        "Replies asked for later",
        "Holds of the ladder that measures mapping lifetimes, by what became of them. What is refused is answered at once, "
        "and lifetimes are then measured more slowly.",
        [(rate("uplink_reflector_holds_total", "by (job, instance, outcome)") + " > 0", "{{instance}} {{outcome}}")],
        (12, 8),
        "ops",
    )
    yield lines(
        "UDP payload",
        "Octets a second. Sent is never more than received: the reflector amplifies nothing.",
        [
            (rate("uplink_reflector_received_bytes_total"), "{{instance}} received"),
            (rate("uplink_reflector_sent_bytes_total"), "{{instance}} sent"),
        ],
        (12, 8),
        "Bps",
    )
    yield lines(
        "Datagrams in a batch",
        "How many the kernel hands over at once, 64 at most. Near 64 a core is as busy as it can be.",
        [(f"{rate('uplink_reflector_packets_total')} / {rate('uplink_reflector_batches_total')}", "{{instance}}")],
        (6, 8),
        "short",
    )
    yield lines(
        "Sessions begun",
        "New flows a second, of all gateways.",
        [(rate("uplink_reflector_sessions_started_total"), "{{instance}}")],
        (6, 8),
        "ops",
    )
    yield lines(
        "Cores",
        "Processor time of the reflector, in cores.",
        [(f"{rate('process_cpu_seconds_total')} {OURS}", "{{instance}}")],
        (6, 8),
        "short",
    )
    yield lines(
        "Memory",
        "Resident memory of the reflector.",
        [(f"sum {BY} (process_resident_memory_bytes{{}}) {OURS}", "{{instance}}")],
        (6, 8),
        "bytes",
    )


def make():
    return dashboard(
        "uplink-reflector",
        "Uplink: Reflector",
        "Whether a reflector answers all that it is sent, and how near its limits it is.",
        "uplink_reflector_build_info",
        [],
        list(panels()),
        hours=6,
    )
