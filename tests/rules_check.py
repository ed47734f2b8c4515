#!/usr/bin/python3
"""Holds the alert rules to their conventions, and shows that their unit tests would see them change.

usage: rules_check.py [--mutants] [--promtool PROGRAM]
With --mutants each alert is changed in turn (its duration by one evaluation, its severity, its comparison, a threshold),
and promtool has to refuse the change. The last line is `N passed, N failed`.
"""
import argparse
import concurrent.futures
import copy
import glob
import os
import re
import subprocess
import sys
import tempfile

import yaml

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../rules")
ALERTMANAGER = os.path.join(RULES, "../deploy/alertmanager/alertmanager.yml")
RECEIVERS = {"critical": "people", "warning": "tickets", "info": "nobody", "none": "nobody"}  # by severity
AT_ONCE = {"UplinkWatchdog", "UplinkFaultFresh"}  # the one proves that alerts get out, the other must not come after them
ALWAYS = {"UplinkWatchdog"}  # nothing keeps it quiet
PARTS = ("**Meaning.**", "**Impact.**", "**Diagnosis.**", "**Mitigation.**")
# What both 2.42 and 3.x know. holt_winters is gone from 3.x; info(), mad_over_time() and their like are newer than 2.42.
FUNCTIONS = {"absent", "abs", "ceil", "changes", "count", "floor", "increase", "max", "max_over_time", "min", "min_over_time",
             "rate", "resets", "round", "scalar", "sum", "time", "timestamp", "vector"}
WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"}
STEP = 15  # s between evaluations in the unit tests


def seconds(text):
    """A Prometheus duration, such as 1h30m, in seconds."""
    parts = re.findall(r"(\d+)([dhms])", text or "0s")
    return sum(int(number) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts)


class Tree:
    """The rule files, their unit tests and the runbooks, parsed."""

    def __init__(self, root=RULES):
        self.files = {os.path.basename(path): yaml.safe_load(open(path)) for path in sorted(glob.glob(f"{root}/*.rules.yml"))}
        self.tests = {os.path.basename(path): yaml.safe_load(open(path)) for path in sorted(glob.glob(f"{root}/tests/*.yml"))}
        self.runbooks = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", open(f"{root}/README.md").read(), re.M | re.S))

    def rules(self, kind):
        return self.rules_of(self.files, kind)

    @staticmethod
    def rules_of(files, kind):
        for name, file in files.items():
            for group in file["groups"]:
                yield from ((name, rule) for rule in group["rules"] if kind in rule)

    def groups(self, alert):
        """Test groups whose name begins with the alert's, as (file, group)."""
        for name, file in self.tests.items():
            yield from ((name, g) for g in file["tests"] if g["name"].startswith(alert + " "))


def told(tree):
    """Every alert has a unit test in which it fires, with labels and text, and one in which its confounders do not fire it."""
    for _, rule in tree.rules("alert"):
        alert = rule["alert"]
        groups = [g for _, g in tree.groups(alert)]
        fires = [c for g in groups if g["name"].startswith(f"{alert} fires") for c in g["alert_rule_test"]
                 if c["alertname"] == alert]
        expected = [e for c in fires for e in c.get("exp_alerts", ())]
        if not expected:
            yield f"{alert} fires in no unit test"
        if any(set(e["exp_annotations"]) != set(rule["annotations"]) or "severity" not in e["exp_labels"] for e in expected):
            yield f"{alert}: a unit test leaves out labels or annotations"
        quiet = [g for g in groups if g["name"].startswith(f"{alert} stays quiet: ")]
        if alert not in ALWAYS and not any(g["input_series"] for g in quiet):
            yield f"{alert} has no unit test in which it stays quiet"
        for g in quiet:
            checks = [c for c in g["alert_rule_test"] if c["alertname"] == alert]
            if not checks or any(c.get("exp_alerts") for c in checks):
                yield f"{alert} does not stay quiet in: {g['name']}"


def written(tree):
    """Summaries are one static sentence, descriptions carry figures or names, severities and durations are those agreed."""
    for name, rule in tree.rules("alert"):
        alert, notes = rule["alert"], rule["annotations"]
        if not re.fullmatch(r"[A-Z][^{}]*\.", notes["summary"]):
            yield f"{alert}: the summary is not one static sentence"
        if "{{" not in notes["description"] and rule["expr"] != "vector(1)" and not rule["expr"].startswith("absent("):
            yield f"{alert}: the description names nothing"
        if notes["runbook_url"] != f"rules/README.md#{alert.lower()}":
            yield f"{alert}: runbook_url is {notes['runbook_url']}"
        if rule["labels"].get("severity") not in RECEIVERS or "{{" in str(rule["labels"]):
            yield f"{alert}: labels are {rule['labels']}"
        if seconds(rule.get("for")) < 30 and alert not in AT_ONCE:
            yield f"{alert}: `for` is shorter than two scrapes"
        if not alert.startswith("Uplink"):
            yield f"{alert}: the first word of every alert is Uplink ({name})"


def explained(tree):
    """Every alert has a runbook with its four parts, and no runbook is left without an alert."""
    alerts = {rule["alert"] for _, rule in tree.rules("alert")}
    for alert in sorted(alerts | set(tree.runbooks)):
        text = tree.runbooks.get(alert)
        if text is None or alert not in alerts:
            yield f"{alert}: {'no runbook' if text is None else 'a runbook and no alert'}"
        elif [p for p in re.findall(r"^\*\*\w+\.\*\*", text, re.M)] != list(PARTS):
            yield f"{alert}: the runbook's parts are not {' '.join(PARTS)}"


def numbered(tree):
    """Numbers to compare with are in thresholds.rules.yml alone, and each of them is used."""
    defined = {rule["record"]: rule for name, rule in tree.rules("record") if name == "thresholds.rules.yml"}
    used = set()
    for name, rule in [*tree.rules("alert"), *tree.rules("record")]:
        used |= set(re.findall(r"\bthreshold:[\w:]+", rule["expr"]))
        if name != "thresholds.rules.yml":
            for number in re.findall(r"(?:[<>]=?|[=!]=)\s*(?:bool\s*)?([\d.]+)", rule["expr"]):
                if number not in ("0", "1"):
                    yield f"{rule.get('alert') or rule['record']} compares with {number}"
    yield from (f"{name} is not defined" for name in sorted(used - set(defined)))
    yield from (f"{name} is not used" for name in sorted(set(defined) - used))


def portable(tree):
    """Expressions use what Prometheus 2.42 and 3.x both know, records are named level:metric:operations and are used once."""
    records = [rule["record"] for _, rule in tree.rules("record")]
    for _, rule in [*tree.rules("alert"), *tree.rules("record")]:
        name, bare = rule.get("alert") or rule["record"], re.sub(r'"(?:[^"\\]|\\.)*"', '""', rule["expr"])
        for function in re.findall(r"\b([a-z_]+)\s*\(", bare):
            if function not in FUNCTIONS | WORDS:
                yield f"{name} uses {function}(), which is not in the list of what old and new Prometheus share"
        if "@" in bare or re.search(r"\b(?:nan|inf)\b|\blimitk\b", bare, re.I):
            yield f"{name}: not portable: {bare}"
        for record in re.findall(r"\b[a-z]+:[a-z_0-9]+:[a-z_0-9]+", bare):
            if record not in records:
                yield f"{name} asks for {record}, which nothing records"
    for record in records:
        if not re.fullmatch(r"(?:threshold|uplink|tunnel|gateway|carrier):[a-z_0-9]+:[a-z_0-9]+", record):
            yield f"{record} is not level:metric:operations"
        if records.count(record) > 1:
            yield f"{record} is recorded twice"


def routed(tree):
    """amtool routes every alert, with the labels that its unit tests give it, to the receiver that its severity asks for."""
    def receiver(labels):
        return subprocess.run(["amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}",
                               *(f"{name}={value}" for name, value in labels.items())], capture_output=True, text=True).stdout.strip()
    seen = {}
    for _, rule in tree.rules("alert"):
        alert = rule["alert"]
        for check in (c for _, g in tree.groups(alert) for c in g["alert_rule_test"] if c["alertname"] == alert):
            for expected in check.get("exp_alerts", ()):
                seen[frozenset({"alertname": alert, **expected["exp_labels"]}.items())] = RECEIVERS[rule["labels"]["severity"]]
    # The watchdog has its own, a severity that nobody knows is a page, and so is an alert without any.
    for labels in list(seen):
        if ("alertname", "UplinkWatchdog") in labels:
            seen[labels] = "dead_mans_switch"
    seen[frozenset({"alertname": "UplinkNew", "severity": "dire"}.items())] = "people"
    seen[frozenset({"alertname": "UplinkNew"}.items())] = "people"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda labels: receiver(dict(labels)), seen))
    yield from (f"{dict(labels)} goes to {got!r}, not {want}" for (labels, want), got in zip(seen.items(), found) if got != want)


CHECKS = (told, written, explained, numbered, portable, routed)


def _find(files, alert):
    return next(r for f in files.values() for g in f["groups"] for r in g["rules"] if r.get("alert") == alert)


def mutants(tree):
    """(what was changed, changed files, names of alerts whose tests have to see it)."""
    def of(alert, what, change):
        files = copy.deepcopy(tree.files)
        change(_find(files, alert))
        return f"{alert}: {what}", files, [alert]

    def shift(key, by):
        def change(rule):
            rule[key] = f"{seconds(rule[key]) + by}s"
        return change

    for _, rule in tree.rules("alert"):
        alert, expr = rule["alert"], rule["expr"]
        for key in ("for", "keep_firing_for"):
            step = STEP if key in rule else 0
            for by in ((-step, step) if step else ()):
                yield of(alert, f"{key} {by:+d} s", shift(key, by))
        yield of(alert, "another severity", lambda r: r["labels"].update(severity="other"))
        if re.search(r"== [01]\b", expr):
            yield of(alert, "a comparison that always holds", lambda r: r.update(expr=re.sub(r"== [01]\b", ">= 0", r["expr"], count=1)))
        for word in ("unless", "and on"):
            if re.search(rf"\n\s*{word}\b", expr) and alert != "UplinkFaultFresh":
                yield of(alert, f"without its last `{word}`",
                         lambda r, word=word: r.update(expr=r["expr"][:[m.start() for m in re.finditer(rf"\n\s*{word}\b", r["expr"])][-1]]))
    files = copy.deepcopy(tree.files)
    for _, rule in Tree.rules_of(files, "record"):
        if rule["record"] == "uplink:uplink_verdict:current":
            rule["expr"] = rule["expr"].replace("== 1", ">= 0")
    yield "uplink:uplink_verdict:current: a comparison that always holds", files, ["UplinkUdpOneWay", "UplinkDown"]
    for _, rule in tree.rules("record"):
        if not rule["record"].startswith("threshold:"):
            continue
        users = [r["alert"] for _, r in tree.rules("alert") if rule["record"] in r["expr"]]
        users += ["UplinkExporterSilent"] if "silence" in rule["record"] or "memory" in rule["record"] else []
        number = float(re.fullmatch(r"vector\(([\d.]+)\)", rule["expr"])[1])
        step = number / 10 if number < 1 else 60 if number > 1000 else STEP if number > 10 else 1
        for by in (-step, step):
            files = copy.deepcopy(tree.files)
            for group in files["thresholds.rules.yml"]["groups"]:
                for r in group["rules"]:
                    if r["record"] == rule["record"]:
                        r["expr"] = f"vector({number + by:g})"
            yield f"{rule['record']} {by:+g}", files, users


def survives(tree, files, alerts, promtool):
    """Whether promtool passes the tests of these alerts although the rules were changed."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(f"{root}/tests")
        for name, content in files.items():
            with open(f"{root}/{name}", "w") as file:
                yaml.safe_dump(content, file, sort_keys=False)
        wanted = {}
        for alert in alerts:
            for name, group in tree.groups(alert):
                wanted.setdefault(name, []).append(group)
        for name, groups in wanted.items():
            with open(f"{root}/tests/{name}", "w") as file:
                yaml.safe_dump({**tree.tests[name], "tests": groups}, file, sort_keys=False)
        run = subprocess.run([promtool, "test", "rules", *(f"{root}/tests/{name}" for name in wanted)], capture_output=True)
        return run.returncode == 0


def mutate(tree, promtool):
    """Problems: what was changed and no unit test saw, or tests that fail with nothing changed."""
    every = [("nothing", tree.files, [rule["alert"] for _, rule in tree.rules("alert")]), *mutants(tree)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = list(pool.map(lambda m: survives(tree, m[1], m[2], promtool), every))
    if not alive[0]:
        yield "the unit tests fail with nothing changed"
    yield from (f"no unit test sees it: {what}" for (what, _, _), survived in list(zip(every, alive))[1:] if survived)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", action="store_true", help="change the rules in turn; promtool has to see each change")
    parser.add_argument("--promtool", default="promtool")
    options = parser.parse_args()
    tree = Tree()
    passed = failed = 0
    checks = [(check.__doc__, list(check(tree))) for check in CHECKS]
    if options.mutants:
        checks.append((f"The unit tests see each of {len(list(mutants(tree)))} changes to the rules.", list(mutate(tree, options.promtool))))
    for title, problems in checks:
        passed, failed = passed + (not problems), failed + bool(problems)
        print(("ok   " if not problems else "FAIL ") + title, *problems, sep="\n     ")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
