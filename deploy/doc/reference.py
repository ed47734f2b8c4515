#!/usr/bin/python3
"""The references, made from the programs' own tables: metrics.md from the catalogue of metrics, configuration.md from the
keys that the parsers of the configurations read by.

usage: reference.py            writes both
       reference.py --check    changes nothing; fails where one is not what the tables say
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EXPORTER = os.path.join(HERE, "../../exporter")
METRICS_HEAD = """# Metrics

Made from `exporter/metrics/catalogue.h` by `deploy/doc/reference.py`. Durations are in seconds, sizes in octets. A counter that
is known begins at 0; what has not been measured is absent. Histograms have `_bucket`, `_sum` and `_count`.
"""
METRICS_TABLE = "\n| metric | type | labels | what |\n|---|---|---|---|\n"
CONFIGURATION_HEAD = """# Configuration

Made from the tables that `exporter/config` reads by, by `deploy/doc/reference.py`. YAML, strict: an unknown key, a wrong type
or a bad value is an error with file, line, column and key, and the program does not start (or, at a reload, goes on with what
it has). `uplinktool check config FILE` says the same. Durations are written as in Prometheus: `500ms`, `30s`, `1m30s`.
Relative paths count from the file's own directory.
"""
CONFIGURATION_TABLE = "\n| key | default | what |\n|---|---|---|\n"
CONFIGURATIONS = (
    ("uplink_exporter", "", "config/agent_config.cc"),
    ("uplink_reflector", "", "config/reflector_config.cc"),
    ("--web.config.file", "Both programs take it, in the format of Prometheus' exporter-toolkit; [an example](../examples/web-config.yml).",
     "config/web_config.cc"),
)


def read(path):
    with open(os.path.join(EXPORTER, path), encoding="utf-8") as file:
        return file.read()


def metrics():
    """The text of metrics.md."""
    text, open_table = METRICS_HEAD, False
    for line in read("metrics/catalogue.h").splitlines():
        section = re.match(r"\s*// --- (.+)", line)
        if section:
            text += f"\n## {section[1][0].upper()}{section[1][1:]}\n"
            open_table = False
        row = re.match(r'\s*\{"(\w+)", k(\w+), \{([^}]*)\}, "((?:[^"\\]|\\.)*)"\},', line)
        if row:
            if not open_table:
                text += METRICS_TABLE
                open_table = True
            labels = ", ".join(f"`{label}`" for label in re.findall(r'"(\w+)"', row[3]))
            help_text = row[4].replace('\\"', '"').replace("|", "\\|")
            text += f"| `{row[1]}` | {row[2].lower()} | {labels} | {help_text} |\n"
    return text


def sections(path):
    """[(where, introduction, rows)] of one configuration: its keys as the parser has them, the file's own first."""
    code = read(path)
    found = []
    for told, body in re.findall(r"((?:^/// [^\n]*\n)+)// clang-format off\nconstexpr Setting<\w+> \w+\[\] = \{\n(.*?)^\};", code, re.M | re.S):
        where, introduction = re.match(r"Keys of (the file|`[\w.]+`)(?:\.|: (.*))$", re.sub(r"^/// ", "", told, flags=re.M).replace("\n", " ").strip()).groups()
        rows = []
        for line in body.splitlines():
            row = re.match(r'\s*\{"(\w+)", (kRequired|"(?:[^"\\]|\\.)*"), "((?:[^"\\]|\\.)*)", ', line)
            if row:
                rows.append((row[1], "required" if row[2] == "kRequired" else unquoted(row[2][1:-1]), unquoted(row[3])))
            elif "{" in line:
                sys.exit(f"{path}: not understood: {line}")
        found.append((where.strip("`"), introduction, rows))
    order = [key for where, _, rows in found if where == "the file" for key, _, _ in rows]
    return sorted(found, key=lambda s: (-1, 0) if s[0] == "the file" else (order.index(s[0].split(".")[0]), s[0].count(".")))


def unquoted(text):
    return text.replace('\\"', '"').replace("\\\\", "\\").replace("|", "\\|")


def configuration():
    """The text of configuration.md."""
    text = CONFIGURATION_HEAD
    for program, introduction, path in CONFIGURATIONS:
        text += f"\n## {program}\n" + (f"\n{introduction}\n" if introduction else "")
        for where, told, rows in sections(path):
            if where != "the file":
                text += f"\n### {where.replace('.', ': ')}\n" + (f"\n{told[0].upper()}{told[1:]}\n" if told else "")
            text += CONFIGURATION_TABLE + "".join(f"| `{key}` | {standard} | {what} |\n" for key, standard, what in rows)
    return text


MADE = {"metrics.md": metrics, "configuration.md": configuration}


def problems():
    for name, make in MADE.items():
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            if file.read() != make():
                yield f"{name} is not what the code says: run deploy/doc/reference.py"


def main():
    if "--check" not in sys.argv[1:]:
        for name, make in MADE.items():
            with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
                file.write(make())
        return 0
    found = list(problems())
    print("\n".join(found) if found else "the references are what the code says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
