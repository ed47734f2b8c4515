#!/usr/bin/python3
"""Holds the tree to the rules of the house, and shows on trees made for it that each rule is really checked.

usage: house.py [ROOT]
The last line is `N passed, N failed`.
"""
import os
import re
import sys
import tempfile

# From the ground up; a room includes only rooms below it, or itself. Rooms on one floor do not know each other.
FLOORS = (("base",), ("config",), ("stamp", "stun"), ("uplink",), ("route",), ("openvpn",), ("reflector",), ("probe",),
          ("verdict",), ("metrics",), ("alert", "web"), ("agent",), ("main",))
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
# Stricter than the floors: codecs and verdicts know no other room, the web reads a Snapshot and nothing else.
ONLY = {"stamp": {"base"}, "stun": {"base"}, "verdict": {"base"}, "metrics": {"base", "verdict"},
        "alert": {"base", "verdict", "metrics"}, "web": {"base", "config", "verdict", "metrics"}}
# The sans-IO core is told the time and what arrived: no clock, socket, thread or event loop in it.
CORE = {"stamp", "stun", "probe", "verdict", "metrics", "alert"}
IMPURE = re.compile(r"#include\s*<(?:boost/(?:asio|beast)|thread|mutex|condition_variable|future|sys/socket\.h|poll\.h"
                    r"|unistd\.h|ctime)|_clock::now\(|\bread_clocks\(|\bclock_gettime\(|\bgettimeofday\(|\bsleep_for\(")
HANDED_OVER = {"exporter/metrics/snapshot_box.h"}  # the one place where threads meet

TOP = {"CMakeLists.txt", "exporter", "rules", "dashboards", "deploy", "tests", "README.md"}
LINES = 350
SOURCES = (".h", ".cc", ".py", ".sh", ".mjs")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|not imple" r"mented|st" r"ub)\b")
MACHINE = re.compile(r"(?<![\w.])/(?:wo" r"rk|fa" r"rm|ro" r"ot)/")
SKIPPED = re.compile(r"\bGTEST_" r"SKIP\(\)\s*;|\bDIS" r"ABLED_\w")
METRIC = re.compile(r"\b((?:uplink|openvpn)_[a-z_]+)(?=[{\[) ])(?<!uplink_exporter)(?<!uplink_reflector)")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def files(root):
    """Paths of the tree's own files, relative to its root, without builds, dot-directories and recordings."""
    for directory, names, leaves in os.walk(root):
        relative = os.path.relpath(directory, root)
        names[:] = [n for n in names if not n.startswith(".") and n not in ("__pycache__", "node_modules") and
                    not (relative == "." and n.startswith("build")) and os.path.join(relative, n) != "tests/data"]
        yield from (os.path.normpath(os.path.join(relative, leaf)) for leaf in leaves if not leaf.endswith(".pyc"))


def lines(root, path):
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read().splitlines()
    except (UnicodeDecodeError, FileNotFoundError):
        return []


def rooms_of(path):
    """The room a source file belongs to, or None."""
    parts = path.split(os.sep)
    return parts[1] if len(parts) > 2 and parts[0] == "exporter" else None


def includes_downward(root):
    """A room includes only rooms below it."""
    for path in files(root):
        room = rooms_of(path)
        if not room or not path.endswith((".h", ".cc")):
            continue
        if room not in FLOOR:
            yield f"{path}: there is no room {room} in the house"
            continue
        for number, line in enumerate(lines(root, path), 1):
            match = INCLUDE.match(line)
            other = match and match[1].split("/")[0]
            if not match or other == room:
                continue
            if "/" not in match[1]:
                yield f'{path}:{number}: name the room: #include "{room}/{match[1]}"'
            elif other not in FLOOR:
                yield f"{path}:{number}: there is no room {other} in the house"
            elif FLOOR[other] >= FLOOR[room]:
                yield f"{path}:{number}: {other} is not below {room}"
            elif other not in ONLY.get(room, FLOOR):
                yield f"{path}:{number}: {room} knows only {', '.join(sorted(ONLY[room]))}"


def core_is_pure(root):
    """No clock, socket, thread or event loop in the core."""
    for path in files(root):
        if rooms_of(path) in CORE and path not in HANDED_OVER:
            for number, line in enumerate(lines(root, path), 1):
                if IMPURE.search(line):
                    yield f"{path}:{number}: the core does no IO: {line.strip()}"


def tidy_top(root):
    """At the top level stands what the design lists, and nothing else but dot-files and builds."""
    for name in os.listdir(root):
        if name not in TOP and not name.startswith((".", "build")) and name != "LICENSE":
            yield f"{name}: not at the top level"


def short_files(root):
    """One concept a file: none is longer than the limit."""
    for path in files(root):
        if path.endswith(SOURCES) and len(lines(root, path)) > LINES:
            yield f"{path}: {len(lines(root, path))} lines, {LINES} at most"


def _lines_without(root, pattern, what, under):
    for path in files(root):
        if path.split(os.sep)[0] in under:
            for number, line in enumerate(lines(root, path), 1):
                if pattern.search(line):
                    yield f"{path}:{number}: {what}: {line.strip()[:100]}"


def finished(root):
    """Nothing is left open in words."""
    yield from _lines_without(root, UNFINISHED, "left open", {"exporter", "rules", "dashboards", "deploy", "tests"})


def no_machine_paths(root):
    """No path of one machine."""
    yield from _lines_without(root, MACHINE, "a path of one machine", TOP)


def no_skipped_tests(root):
    """No unit test is switched off, or skips itself without saying what the machine lacks."""
    yield from _lines_without(root, SKIPPED, "a test switched off", {"tests"})


def rules_are_true(root):
    """Every alert has a runbook, and every metric that a rule or a dashboard names is in the catalogue."""
    catalogue = set(re.findall(r'\{"(\w+)", k', "\n".join(lines(root, "exporter/metrics/catalogue.h"))))
    runbooks = {line[3:].strip() for line in lines(root, "rules/README.md") if line.startswith("## ")}
    for path in files(root):
        if not path.endswith(".rules.yml") and not (path.startswith("dashboards/") and path.endswith(".json")):
            continue
        for number, line in enumerate(lines(root, path), 1):
            alert = re.match(r"\s*- alert: (\w+)", line)
            if alert and alert[1] not in runbooks:
                yield f"{path}:{number}: {alert[1]} has no section in rules/README.md"
            for metric in METRIC.findall(line):
                if re.sub(r"_(?:bucket|sum|count)$", "", metric) not in catalogue:
                    yield f"{path}:{number}: no program serves {metric}"


RULES = (includes_downward, core_is_pure, tidy_top, short_files, finished, no_machine_paths, no_skipped_tests, rules_are_true)

# Rule -> trees that break it, each one file and its content; and one tree that breaks none.
BROKEN = {
    includes_downward: (("exporter/stamp/a.h", '#include "probe/flow.h"\n'), ("exporter/stamp/a.h", '#include "stun/a.h"\n'),
                        ("exporter/web/a.cc", '#include "openvpn/event.h"\n'), ("exporter/base/a.h", '#include "time.h"\n'),
                        ("exporter/cellar/a.h", "\n"), ("exporter/base/a.h", '#  include "config/config.h"\n'),
                        ("exporter/verdict/a.h", '#include "stamp/packet.h"\n')),
    core_is_pure: (("exporter/probe/a.cc", "#include <thread>\n"),
                   ("exporter/verdict/a.cc", "auto t = std::chrono::system_clock::now();\n")),
    tidy_top: (("notes.txt", "x\n"),),
    short_files: (("exporter/base/a.cc", "\n" * (LINES + 1)),),
    finished: (("exporter/base/a.cc", "// TO" "DO later\n"), ("rules/a.yml", "# FIX" "ME\n")),
    no_machine_paths: (("README.md", "see /wo" "rk/x\n"),),
    rules_are_true: (("rules/b.rules.yml", "      - alert: UplinkB\n"),
                     ("rules/b.rules.yml", "        expr: uplink_wrong{verdict=\"x\"} == 1\n"),
                     ("dashboards/b.json", '"expr": "rate(uplink_wrong{a=~\\"$a\\"}[5m])"\n')),
    no_skipped_tests: (("tests/unit/a_test.cc", "TEST(A, DIS" "ABLED_b) {}\n"), ("tests/unit/a_test.cc", "GTEST_" "SKIP();\n")),
}
CLEAN = {"exporter/metrics/catalogue.h": '    {"uplink_right", kGauge, {"uplink"}, "Help."},\n',
         "rules/README.md": "## UplinkA\n", "rules/c.rules.yml": "  - alert: UplinkA\n    expr: uplink_right{a=\"b\"} == 1\n",
         "exporter/probe/flow.h": '#include "stamp/packet.h"\n#include "probe/types.h"\n#include <vector>\n',
         "exporter/web/site.h": '#include "metrics/snapshot.h"\n', "rules/a.yml": "# a comment\n", "README.md": "x\n",
         "exporter/openvpn/follower.cc": "#include <unistd.h>\n"}


def plant(root, tree):
    for path, text in tree.items():
        os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
        with open(os.path.join(root, path), "w", encoding="utf-8") as file:
            file.write(text)


def self_test(rule):
    """Problems with the rule itself: what it lets through, or what it sees where nothing is."""
    with tempfile.TemporaryDirectory() as root:
        plant(root, CLEAN)
        yield from (f"{rule.__name__} sees a fault in a clean tree: {fault}" for fault in rule(root))
    for path, text in BROKEN[rule]:
        with tempfile.TemporaryDirectory() as root:
            plant(root, {**CLEAN, path: text})
            if not list(rule(root)):
                yield f"{rule.__name__} does not see the fault in {path}: {text.strip()[:60]!r}"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    count = {True: 0, False: 0}
    for rule in RULES:
        for title, problems in ((rule.__doc__, list(rule(root))), (f"self-test: {rule.__doc__}", list(self_test(rule)))):
            count[not problems] += 1
            print(("ok   " if not problems else "FAIL ") + title)
            for problem in problems:
                print(f"     {problem}")
    print(f"{count[True]} passed, {count[False]} failed")
    return 1 if count[False] else 0


if __name__ == "__main__":
    sys.exit(main())
