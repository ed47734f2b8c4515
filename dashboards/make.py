#!/usr/bin/python3
"""Writes the dashboards of this folder from source/; they are committed, so that nobody needs this to use them.

usage: make.py [--check]    --check writes nothing and fails where a file is not what it would write
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from source import fleet, gateway, openvpn, reflector, return_path  # noqa: E402

DASHBOARDS = {
    "gateway": gateway,
    "return-path": return_path,
    "openvpn": openvpn,
    "fleet": fleet,
    "reflector": reflector,
}


def main():
    stale = []
    for name, source in DASHBOARDS.items():
        path = os.path.join(HERE, name + ".json")
        text = json.dumps(source.make(), indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv[1:]:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        elif not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            stale.append(name)
    for name in stale:
        print(f"dashboards/{name}.json is not what dashboards/make.py writes: run it")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
