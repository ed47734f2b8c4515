"""What the states mean, in the words that panels show: (name, short text, why, what helps, colour), worst first.

A state set is shown as one number, its place in these lists (from 1), because a panel colours and translates numbers.
"""

GREY, GREEN, YELLOW, ORANGE, RED, DARK_RED, PURPLE, BLUE = (
    "#808080",
    "green",
    "yellow",
    "orange",
    "red",
    "dark-red",
    "purple",
    "blue",
)

VERDICTS = (
    (
        "one_way",
        "ONE-WAY",
        "Packets leave and arrive; replies no longer come back, on new ports neither.",
        "Send the VPN server's address through another uplink. No keepalive helps.",
        RED,
    ),
    (
        "down",
        "DOWN",
        "Nothing passes, or link, address or route are gone.",
        "Cable, modem, router; then the carrier.",
        DARK_RED,
    ),
    (
        "local_fault",
        "LOCAL FAULT",
        "This gateway itself drops or misroutes; no carrier is to blame.",
        "The command on the agent's own page.",
        PURPLE,
    ),
    (
        "udp_blocked",
        "UDP BLOCKED",
        "The far end receives no UDP, while TCP works.",
        "Another port or another uplink; `proto tcp` as a last resort.",
        RED,
    ),
    (
        "no_return",
        "NO RETURN",
        "No UDP reply comes back, TCP works; which way it died nobody can say.",
        "Another uplink for the VPN server; a reflector of your own tells the direction.",
        RED,
    ),
    (
        "return_lost",
        "RETURN LOST",
        "Packets arrive, replies do not come back; the reason is not yet clear.",
        "Wait some seconds: new flows are being tried.",
        ORANGE,
    ),
    (
        "stuck_mapping",
        "STUCK MAPPING",
        "The NAT answers an old port no longer; a new one works.",
        "Restart the tunnel from a new port (`nobind`).",
        ORANGE,
    ),
    (
        "new_flows_blocked",
        "NEW FLOWS BLOCKED",
        "Old flows are answered, new ones are not.",
        "Do not restart the tunnel; close other flows; ask the carrier for the quota.",
        ORANGE,
    ),
    (
        "mtu_blackhole",
        "MTU BLACK HOLE",
        "Small packets pass, tunnel-sized ones vanish.",
        "The `mssfix` named on the agent's own page.",
        ORANGE,
    ),
    (
        "short_mapping",
        "SHORT MAPPING",
        "The NAT forgets a silent flow sooner than the tunnel's keepalive renews it.",
        "A shorter keepalive: see Return path.",
        ORANGE,
    ),
    (
        "reflector_down",
        "REFLECTOR DOWN",
        "The reflector itself is gone; no uplink is to blame.",
        "The host of the reflector, and what else runs there.",
        BLUE,
    ),
    (
        "lossy",
        "LOSSY",
        "Both directions work, one loses packets.",
        "The direction is in the columns of losses.",
        YELLOW,
    ),
    ("unknown", "not known yet", "Not enough evidence yet.", "", GREY),
    ("healthy", "healthy", "Replies come back, on old flows and on new ones.", "", GREEN),
)

DIAGNOSES = (
    (
        "one_way_loop",
        "ONE-WAY LOOP",
        "Handshakes pass, then nothing comes back; it restarts for ever.",
        "Send the server's address through another uplink.",
        RED,
    ),
    ("no_return", "NO RETURN", "No answer at all comes back.", "See the verdict of the uplink.", RED),
    ("disconnected", "DISCONNECTED", "It is not connected.", "Its log says why.", RED),
    (
        "auth_failure",
        "AUTH FAILURE",
        "The server refuses the credentials.",
        "Renew password, token or certificate.",
        PURPLE,
    ),
    (
        "shared_common_name",
        "SHARED NAME",
        "Two clients take turns under one certificate.",
        "A certificate for each, or `duplicate-cn`.",
        ORANGE,
    ),
    (
        "keepalive_mismatch",
        "KEEPALIVE",
        "The server sends no pings, the client expects them.",
        "`keepalive 10 60` on the server.",
        ORANGE,
    ),
    (
        "wrong_reply_source",
        "REPLY SOURCE",
        "Answers come from another address than was asked.",
        "`multihome` on the server.",
        ORANGE,
    ),
    ("server_restart", "SERVER RESTART", "The server was restarted.", "", YELLOW),
    ("unknown", "not known", "Its sources support no conclusion.", "", GREY),
    ("healthy", "healthy", "It carries data both ways.", "", GREEN),
)

STATES = (
    ("exiting", "exiting", "", "", DARK_RED),
    ("reconnecting", "RECONNECTING", "", "", RED),
    ("connecting", "connecting", "", "", ORANGE),
    ("wait", "waits for an answer", "", "", ORANGE),
    ("auth", "handshake", "", "", YELLOW),
    ("unknown", "not known", "", "", GREY),
    ("connected", "connected", "", "", GREEN),
)

SCOPES = (
    ("gateway", "this gateway", "", "", PURPLE),
    ("home", "the home", "", "", ORANGE),
    ("carrier", "the carrier", "", "", RED),
    ("beyond", "beyond the carrier", "", "", BLUE),
    ("unknown", "not known", "", "", GREY),
)


def mapping(words, text=1):
    """Value mappings: number -> text number `text` of its word, in its colour."""
    return _mapping((number, word[text], word[4]) for number, word in enumerate(words, 1))


def flag(no="no", yes="yes", bad=RED):
    """Value mappings of a 0 or 1 where 1 is good."""
    return _mapping(((0, no, bad), (1, yes, GREEN)))


def _mapping(entries):
    return [
        {
            "type": "value",
            "options": {
                str(number): {"text": text, "color": colour, "index": index}
                for index, (number, text, colour) in enumerate(entries)
            },
        }
    ]
