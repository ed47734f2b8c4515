"""How long the agent takes to tell a fault: Home.done() notes it, run.py and matrix.py make one table of all of them.

A delay ends with the agent's own line about its verdict. Where replies end it begins with the steady flow's first lost
reply, which the NAT notes to the millisecond; a flow that an absolute lifetime ends loses none until then. Otherwise,
and where no NAT of ours took it, it begins when the fault was switched on or, if that was later, when the agent was
started: at most one probe's interval too early, never too late.
"""
import datetime
import json
import re
import statistics
import time

from . import nat, world
from .registry import expect

MARK = "DELAY "
BY_REPLIES = ("return_lost", "one_way", "stuck_mapping", "no_return")
HOLDS = ("1s", "2s", "5s", "10s", "20s", "30s", "60s", "120s")  # by default
SECONDS = {"s": 1, "m": 60, "h": 3600}
KEEPALIVE = 30  # s of silence that are needed where no tunnel says otherwise
_VERDICT = re.compile(r'ts=(\S+) level=\w+ id=UPLINK_VERDICT msg="([^:"]+): \w+ -> (\w+): .*"')


def verdict_lines(log):
    """(time stamp, uplink, verdict) of each line about one. One that cannot be read fails: its delay would be left out."""
    for line in log.split("\n"):
        if "UPLINK_VERDICT" in line:
            match = _VERDICT.fullmatch(line)
            expect(match, f"this is no line about a verdict as detection.py knows them: {line}")
            yield match.groups()


class Fault:
    """What is about to be switched on: it ends replies at a flow's `age`, or a stream's mapping lives for `lifetime` seconds.

    One of `verdicts` (a name, or several) has to be told of it; where there is none, nothing need be.
    """

    def __init__(self, carrier, port, verdicts, uplink, age, lifetime):
        flows = carrier.flows(port)
        self.replies = port, max(flows, key=flows.get) if flows else None  # of the steady flow; of any where there is none
        self.verdicts = {verdicts} if isinstance(verdicts, str) else set(verdicts)
        self.uplink, self.age, self.lifetime = uplink, age, lifetime
        self.since, self.until = world.now(), float("inf")

    def _first_lost_reply(self):
        source, destination = self.replies
        return min((at for box in nat.Nat.everyone for pair, at in box.losses()
                    if pair[0] == source and destination in (None, pair[1]) and at >= self.since), default=None)

    def note(self, probe, started, log):
        """Prints a line for each verdict that the agent told until the uplink was healthy again, or the next fault began."""
        begun = max(self.since, started)
        lost = self._first_lost_reply() or begun
        told = self._told(log)
        expect(not self.verdicts or told.keys() & self.verdicts,
               f"{self.uplink}: the log has no delay of {' or '.join(sorted(self.verdicts))}, but of {sorted(told)}")
        for verdict, at in told.items():
            what, goal = self._goal(verdict, probe, later=self.since > started)
            print(MARK + json.dumps([what, goal, round(at - (lost if verdict in BY_REPLIES else begun), 3)]))

    def _told(self, log):
        """Verdict -> monotonic time."""
        told = {}
        offset = time.time() - world.now()
        for stamp, uplink, verdict in verdict_lines(log):
            at = datetime.datetime.fromisoformat(stamp).timestamp() - offset
            if uplink != self.uplink or not self.since <= at < self.until:
                continue
            if verdict == "healthy" and told:
                break
            if verdict not in ("healthy", "unknown"):
                told.setdefault(verdict, at)
        if "one_way" in told:  # it says that replies are lost, and more
            told.setdefault("return_lost", told["one_way"])
        return told

    def _goal(self, verdict, probe, later):
        """(what it is called, seconds that it may take or None). `later`: what it begins in was found healthy before."""
        if verdict == "short_mapping" and self.lifetime:
            holds = [_seconds(hold) for hold in probe.get("holds", HOLDS)]
            what, goal = f"short_mapping of {self.lifetime:g} s, holds up to {holds[-1]} s", one_ladder(holds) + 2 * self.lifetime
            if later:  # whether what is known still stands is looked at every interval, and up to a tenth later
                interval = probe.get("ladder_interval", "5m")
                what, goal = f"{what} every {interval}", goal + 1.1 * _seconds(interval)
            return what, goal
        if verdict not in ("return_lost", "one_way"):
            return verdict, None
        if probe.get("profile") == "metered":
            return f"{verdict}, metered", 90
        if probe.keys() - {"holds"}:
            return f"{verdict}, not at default settings", None
        if verdict == "one_way" and self.age > 4:
            return f"one_way at the age of {self.age:g} s", self.age + 6
        return verdict, 10


def _seconds(duration):
    """Of a duration as the configuration has it."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


def one_ladder(holds):
    """Seconds of a pass and its controls, and of trying twice more what a tunnel needs: see ShortMapping in tests/unit/sim."""
    first = max(holds[-1] + 10, 3.5 * (2 * len(holds) + 2))  # a batch takes its time for each port, however short the holds
    return first + 2 * (min(KEEPALIVE, holds[-1]) + 14)


class Table:
    """Delays of many scenarios, by what was told."""

    def __init__(self):
        self._delays = {}  # (what, goal) -> [(seconds, scenario)]

    def collect(self, scenario, output):
        for line in output.splitlines():
            if line.startswith(MARK):
                what, goal, seconds = json.loads(line.removeprefix(MARK))
                self._delays.setdefault((what, goal), []).append((seconds, scenario))

    def tell(self):
        """Prints the table. The goals are about the 99th percentile; returns how many were (met, missed)."""
        met = missed = 0
        if self._delays:
            print(f"\n{'delay until it is told, in seconds':48} {'n':>3} {'p50':>6} {'p99':>6} {'goal':>6}  slowest")
        for (what, goal), delays in sorted(self._delays.items(), key=lambda item: (item[0][1] is None, item[0][0])):
            delays.sort()
            p50, p99 = statistics.median(delay for delay, _ in delays), delays[int(0.99 * len(delays))][0]
            late = goal is not None and p99 > goal
            met, missed = met + (goal is not None and not late), missed + late
            print(f"{what:48} {len(delays):3} {p50:6.1f} {p99:6.1f} {'-' if goal is None else f'{goal:.0f}':>6}  "
                  f"{delays[-1][1]}{': MISSED' if late else ''}")
        return met, missed
