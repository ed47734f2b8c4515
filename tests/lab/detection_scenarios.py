"""What counts the seconds until a fault is told overlooks nothing. No packet is sent here."""
import contextlib
import datetime
import io
import types

from . import detection, world
from .agent import FIVE_G, MANSION, PORT
from .registry import expect, scenario

VERDICTS = ("local_fault", "reflector_down", "down", "udp_blocked", "return_lost", "one_way", "stuck_mapping", "new_flows_blocked",
            "mtu_blackhole", "no_return", "short_mapping", "lossy", "healthy", "unknown")
STAMP = "2026-11-26T20:47:21.042Z"


def _line(verdict, why="why.", before="healthy", uplink=MANSION, stamp=STAMP, level="info"):
    return f'ts={stamp} level={level} id=UPLINK_VERDICT msg="{uplink}: {before} -> {verdict}: {why}"'


def _fails(what, call):
    """The message with which it fails."""
    try:
        call()
    except AssertionError as error:
        return str(error)
    raise AssertionError(f"{what}: it went unseen")


@scenario(10)
def no_line_about_a_verdict_is_overlooked():
    """every form of the agent's line is read, and one of an unknown form fails and is named"""
    whys = ("", "the replies: 8 of 8 -> lost.", r'it is \"refused\" at C:\\x.', r"two\nlines, a \u001b, a \ufffd and µs.",
            "id=UPLINK_VERDICT msg=x")
    other = f'ts={STAMP} level=info id=UPLINK_SCOPE msg="{MANSION}: carrier: lost at hop 1."'
    lines = [_line(verdict, why, before, uplink, level=level) for verdict in VERDICTS for before in VERDICTS for why in whys
             for uplink, level in ((MANSION, "info"), ("a.b-c_1", "warn"))]
    read = list(detection.verdict_lines("\n".join([other, *lines, other, ""])))
    told = [(STAMP, uplink, verdict) for verdict in VERDICTS for _ in VERDICTS for _ in whys for uplink in (MANSION, "a.b-c_1")]
    expect(read == told, f"{len(read)} of {len(lines)} lines were read, or not as they are")
    for changed in (_line("one_way").replace(" -> ", " => "), _line("one_way").replace("id=", '"id":'), _line("one_way")[:-1],
                    _line("one_way").replace(f"{MANSION}: ", ""), _line("one way"), f" {_line('one_way')}"):
        message = _fails(changed, lambda: list(detection.verdict_lines(f"{_line('down')}\n{changed}\n{other}\n")))
        expect(changed in message, f"the message does not name the line: {message}")


@scenario(10)
def a_fault_of_which_nothing_was_noted_fails():
    """what had to be told is in the log of its uplink, after the fault began, or the scenario fails"""
    carrier = types.SimpleNamespace(flows=lambda port: {})

    def note(verdicts, log):
        """How many delays were noted. They are none of an agent, and stay out of the table."""
        with contextlib.redirect_stdout(io.StringIO()) as noted:
            detection.Fault(carrier, PORT, verdicts, MANSION, 0, None).note({}, world.now(), log)
        return noted.getvalue().count(detection.MARK)

    def line(verdict, uplink=MANSION, after=1):
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=after)
        return _line(verdict, uplink=uplink, stamp=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    for log in ("", line("down"), line("one_way", FIVE_G), line("one_way", after=-60), line("healthy")):
        message = _fails(log, lambda: note("one_way", log))
        expect(MANSION in message and "one_way" in message, f"the message does not say what is missing: {message}")
    expect(note("one_way", line("return_lost") + "\n" + line("one_way")) == 2, "both were told")
    expect(note(("down", "return_lost"), line("one_way")) == 2, "one_way says that replies are lost, too")
    expect(note((), "") == 0, "nothing was told")
