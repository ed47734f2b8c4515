#!/usr/bin/python3
"""Writes the shells' completions from what the programs' own --help says, so that no flag is listed twice by hand.

usage: make.py [--check] [--bin DIR]
With --check nothing is written: it says which files are not what --help says now; exit 1.
"""
import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MARGIN = " " * 30  # where --help has what it says of a name
PROGRAMS = ("uplink_exporter", "uplink_reflector", "uplinktool")


class Command:
    """A program or one of its subcommands: options by name, what each takes, and what may follow."""

    def __init__(self, path, program):
        self.path = path
        text = subprocess.run([program, *path[1:], "--help"], check=True, capture_output=True, text=True).stdout
        self.options = {}  # name -> (what its value is, help); no value: None
        for names, value, says in self._rows(text, "Options"):
            self.options.update({name: (value, says) for name in names.split(",")})
        self.takes_files = bool(self._rows(text, "Positionals"))
        self.children = [Command([*path, name], program) for name, _, _ in self._rows(text, "Subcommands")]
        self.says = {name: says for name, _, says in self._rows(text, "Subcommands")}

    @staticmethod
    def _rows(text, section):
        """(name, value, help) of every row; long names have their help on the next line, long helps have more of them."""
        found = re.search(rf"^{section}:\n((?:  .*\n)+)", text, re.M)
        rows = []
        lines = found[1].splitlines() if found else []
        for line, following in zip(lines, [*lines[1:], ""]):
            if line.startswith(MARGIN):
                rows[-1][2] = rows[-1][2] or line.strip()
                continue
            if line[len(MARGIN) - 1:len(MARGIN)] == " " and not following.startswith(MARGIN):
                line = line[:len(MARGIN)] + " " + line[len(MARGIN):]  # a name that fills its column to the last
            name, value, says = re.match(r"  (\S+)((?: \S+)*)(?:  +(.*))?$", line).groups()
            value = re.sub(r"=.*| REQUIRED| \.\.\.| Excludes: \S+", "", value).strip() or None
            rows.append([name, value, says or ""])
        unsaid = [name for name, _, says in rows if not says and section != "Positionals"]
        if unsaid:
            sys.exit(f"--help says nothing of {', '.join(unsaid)}, or not where it is looked for")
        return [(name, value, re.split(r"[;:.]? ?(?:$|; )", says)[0]) for name, value, says in rows]

    def all(self):
        return [self] + [found for child in self.children for found in child.all()]

    def words(self):
        return [child.path[-1] for child in self.children] + [name for name in self.options if name.startswith("--")]


def choices(value):
    """The words that an option takes, where they are few."""
    listed = re.search(r"\{(.*)\}", value or "")
    return listed[1].split(",") if listed else []


def is_file(value):
    return bool(value) and bool(re.search("FILE|DIRECTORY", value))


def bash(root):
    name = root.path[0]
    values, words = [], []
    for command in root.all():
        at = " ".join(command.path)
        for option, (value, _) in command.options.items():
            if value:
                say = f"words='{' '.join(choices(value))}'" if choices(value) else "files=yes" if is_file(value) else "words="
                values.append(f"    '{at} {option}') {say} ;;")
        words.append(f"        '{at}') words='{' '.join(command.words())}'{' files=yes' if command.takes_files else ''} ;;")
    below = " | ".join(f"'{' '.join(c.path)}'" for c in root.all()[1:])
    descend = f"""
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$at ${{COMP_WORDS[i]}}" in
      {below}) at+=" ${{COMP_WORDS[i]}}" ;;
    esac
  done""" if below else ""
    return f"""# bash completion of {name}; deploy/completions/make.py makes it of what --help says.
_{name}_completion() {{
  local at={name} words= files= word=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} i
  # bash takes --option=value apart.
  if [ "$word" = = ]; then
    word=
  elif [ "$option" = = ]; then
    option=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi{descend}
  case "$at $option" in
{chr(10).join(values)}
    *)
      case $at in
{chr(10).join(words)}
      esac
      ;;
  esac
  COMPREPLY=()
  # With no words, bash completes names of files.
  [ -n "$files" ] && [[ $word != -* ]] && return
  [ -n "$files" ] || compopt +o default 2> /dev/null
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -o default -F _{name}_completion {name}
"""


def fish(root):
    name = root.path[0]
    lines = [f"# fish completion of {name}; deploy/completions/make.py makes it of what --help says."]

    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    for command in root.all():
        seen = [f"__fish_seen_subcommand_from {word}" for word in command.path[1:]]
        unseen = [f"not __fish_seen_subcommand_from {' '.join(c.path[-1] for c in command.children)}"] if command.children else []
        when = f" -n {quoted('; and '.join(seen + unseen))}" if seen or unseen else ""
        files = "" if command.takes_files else " -f"
        lines.append(f"complete -c {name}{when}{files}") if files else None
        for child in command.children:
            lines.append(f"complete -c {name}{when} -f -a {child.path[-1]} -d {quoted(command.says[child.path[-1]])}")
        for option, (value, says) in command.options.items():
            flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            takes = f" -x -a {quoted(' '.join(choices(value)))}" if choices(value) else " -r -F" if is_file(value) else " -x" if value else ""
            lines.append(f"complete -c {name}{when} {flag}{takes} -d {quoted(says)}")
    return "\n".join(lines) + "\n"


def zsh(root):
    name = root.path[0]

    def quoted(text):
        return "'" + text.replace("'", "'\\''") + "'"

    def plain(text):
        return re.sub(r"([\[\]:\\])", r"\\\1", text)

    def option_spec(option, value, says):
        action = f"({' '.join(choices(value))})" if choices(value) else "_files" if is_file(value) else " "
        what = re.sub(r":?\{.*|:INT.*", "", value or "") or "value"
        return quoted(f"*{option}{f'=[{plain(says)}]:{plain(what)}:{action}' if value else f'[{plain(says)}]'}")

    cases = []
    for command in root.all():
        specs = [option_spec(option, *about) for option, about in command.options.items() if option.startswith("--")]
        if command.children:
            below = " ".join(f"{child.path[-1]}\\:{quoted(plain(command.says[child.path[-1]]))}" for child in command.children)
            specs.append(quoted(f"1:command:(({below}))"))
        elif command.takes_files:
            specs.append(quoted("*:file:_files"))
        cases.append(f"    {quoted(' '.join(command.path))})\n      _arguments {f' {chr(92)}{chr(10)}        '.join(specs)} ;;")
    below = " | ".join(quoted(" ".join(c.path)) for c in root.all()[1:])
    descend = f"""
  for ((i = 2; i < CURRENT; ++i)); do
    case "$at $words[i]" in
      ({below}) at+=" $words[i]"; deep=$i ;;
    esac
  done
  words=("${{(@)words[deep,-1]}}")
  ((CURRENT -= deep - 1))""" if below else ""
    return f"""#compdef {name}
# zsh completion of {name}; deploy/completions/make.py makes it of what --help says.
_{name}() {{
  local at={name} curcontext=$curcontext
  integer i deep=1{descend}
  case $at in
{chr(10).join(cases)}
  esac
}}
_{name} "$@"
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--bin", default=os.path.join(HERE, "../../build/bin"))
    options = parser.parse_args()
    wrong = 0
    for name in PROGRAMS:
        command = Command([name], os.path.join(options.bin, name))
        for path, text in ((f"{name}.bash", bash(command)), (f"{name}.fish", fish(command)), (f"{name}.zsh", zsh(command))):
            full = os.path.join(HERE, path)
            have = open(full, encoding="utf-8").read() if os.path.exists(full) else ""
            if have != text and options.check:
                print(f"{path} is not what {name} --help says: deploy/completions/make.py writes it anew")
                wrong += 1
            elif have != text:
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
