#!/usr/bin/python3
"""The metric reference, made from the programs' own catalogue; and configuration.md, held to their tables of keys.

usage: reference.py            writes metrics.md
       reference.py --check    changes nothing; fails where metrics.md or a key of configuration.md is not as the code has it
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EXPORTER = os.path.join(HERE, "../../exporter")
HEAD = """# Metrics

Made from `exporter/metrics/catalogue.h` by `deploy/doc/reference.py`. Durations are in seconds, sizes in octets. A counter that
is known begins at 0; what has not been measured is absent. Histograms have `_bucket`, `_sum` and `_count`.
"""
TABLE = "\n| metric | type | labels | what |\n|---|---|---|---|\n"


def read(path):
    with open(os.path.join(EXPORTER, path), encoding="utf-8") as file:
        return file.read()


def metrics():
    """The text of metrics.md."""
    text, open_table = HEAD, False
    for line in read("metrics/catalogue.h").splitlines():
        section = re.match(r"\s*// --- (.+)", line)
        if section:
            text += f"\n## {section[1][0].upper()}{section[1][1:]}\n"
            open_table = False
        row = re.match(r'\s*\{"(\w+)", k(\w+), \{([^}]*)\}, "((?:[^"\\]|\\.)*)"\},', line)
        if row:
            if not open_table:
                text += TABLE
                open_table = True
            labels = ", ".join(f"`{label}`" for label in re.findall(r'"(\w+)"', row[3]))
            help_text = row[4].replace('\\"', '"').replace("|", "\\|")
            text += f"| `{row[1]}` | {row[2].lower()} | {labels} | {help_text} |\n"
    return text


def keys_of_code(path):
    """Keys of every table of settings in a file of config/."""
    return {key for body in re.findall(r"Setting<\w+> k\w*Keys\[\] = \{(.*?)\n\};", read(path), re.S)
            for key in re.findall(r'\{"(\w+)", Need::', body)}


def keys_of_page(page, heading, until):
    part = page.split(f"\n## {heading}\n")[1].split(f"\n## {until}\n")[0] if until else page.split(f"\n## {heading}\n")[1]
    return {key for row in re.findall(r"^\| (`\w+`) .*$", part, re.M) for key in re.findall(r"`(\w+)`", row)} | (
        set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|.*$", part, re.M)))) if not until else set())


def problems():
    with open(os.path.join(HERE, "metrics.md"), encoding="utf-8") as file:
        if file.read() != metrics():
            yield "metrics.md is not what the catalogue says: run deploy/doc/reference.py"
    with open(os.path.join(HERE, "configuration.md"), encoding="utf-8") as file:
        page = file.read()
    for heading, until, path in (("uplink_exporter", "uplink_reflector", "config/agent_config.cc"),
                                 ("uplink_reflector", "--web.config.file", "config/reflector_config.cc"),
                                 ("--web.config.file", None, "config/web_config.cc")):
        code, told = keys_of_code(path), keys_of_page(page, heading, until)
        if not code:
            yield f"no keys were found in {path}"
        for key in sorted(code ^ told):
            yield f"configuration.md, {heading}: {key} is in {'the code' if key in code else 'the page'} only"


def main():
    if "--check" not in sys.argv[1:]:
        with open(os.path.join(HERE, "metrics.md"), "w", encoding="utf-8") as file:
            file.write(metrics())
        return 0
    found = list(problems())
    print("\n".join(found) if found else "the references are what the code says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
