#!/usr/bin/python3
"""The shells' completions: as the programs' --help has it, and tried in a real bash, fish and zsh.

usage: completions.py [BIN]
A shell that is not installed is skipped by name. The last line is `N passed, N failed`.
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COMPLETIONS = os.path.join(HERE, "../deploy/completions")
BIN = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../build/bin"))
PATIENCE = 20
PROGRAMS = ("uplink_exporter", "uplink_reflector", "uplinktool")
LEVELS = {"debug", "info", "warn", "error"}

# What is typed up to the cursor, and what may follow: exactly, or (with "...") at least.
CASES = (
    ("uplinktool ", {"diagnose", "init", "keygen", "check", "openvpn", "--help", "--version"}),
    ("uplinktool di", {"diagnose"}),
    ("uplinktool --v", {"--version"}),
    ("uplinktool check ", {"config", "--help"}),
    ("uplinktool check config --re", {"--reflector"}),
    ("uplinktool openvpn analyze --role ", {"client", "server"}),
    ("uplinktool openvpn analyze --role=s", {"server"}),
    ("uplinktool diagnose --config.f", {"--config.file"}),
    ("uplinktool diagnose --json --d", {"--duration"}),
    ("uplink_exporter --log.level ", LEVELS),
    ("uplink_exporter --log.level=", LEVELS),
    ("uplink_exporter --config.file agent.yml --log.format j", {"json"}),
    ("uplink_exporter --web.", {"--web.listen-address", "--web.telemetry-path", "--web.config.file"}),
    ("uplink_reflector --config.", {"--config.file", "--config.check"}),
)
# Names of files are completed, where a file is wanted and nowhere else; a file agent.yml and a directory etc are there.
FILES = (("uplinktool check config ag", "agent.yml"), ("uplink_exporter --config.file ag", "agent.yml"),
         ("uplink_exporter --web.config.file=ag", "agent.yml"), ("uplinktool diagnose ag", None),
         ("uplinktool init --openvpn et", "etc/"), ("uplink_exporter --log.level ag", None))


def in_bash(line):
    """What bash's own function offers, told of the line as readline tells it."""
    program = line.split()[0]
    words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith(" ") else [])
    script = f"source {COMPLETIONS}/{program}.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _{program}_completion;" \
             " printf '%s\\n' \"${COMPREPLY[@]}\""
    done = subprocess.run(["bash", "--norc", "-c", script, "-", *words], capture_output=True, text=True, timeout=PATIENCE)
    if done.stderr:
        raise AssertionError(done.stderr)
    return set(done.stdout.split())


def in_fish(line):
    script = f"source {COMPLETIONS}/{line.split()[0]}.fish; complete -C '{line}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, "HOME": os.getcwd(), "PATH": BIN + ":" + os.environ["PATH"]})
    if done.stderr:
        raise AssertionError(done.stderr)
    return {row.split("\t")[0] for row in done.stdout.splitlines()}


class Terminal:
    """An interactive shell on a terminal of its own, which is told `lines` first."""

    def __init__(self, command, lines):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command,
                       {"PATH": BIN + ":" + os.environ["PATH"], "HOME": os.getcwd(), "TERM": "dumb", "PS1": "> ", "INPUTRC": "/dev/null"})
        self.seen = ""
        for line in lines:
            self.say(line + "\n")

    def say(self, text):
        os.write(self.fd, text.encode())

    def wait(self, pattern):
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.seen):
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"no {pattern!r} in {self.seen[-500:]!r}")
            self.seen += os.read(self.fd, 4096).decode("utf-8", "replace")
        return re.search(pattern, self.seen)

    def completed(self, line):
        """The line after one TAB. C-a and a command before it make the shell print the words instead of running them."""
        self.seen = ""
        self.say(f"{line}\t\x01printf 'typed:%s\\n' \"[\x05]\"\n")
        return self.wait(r"typed:\[(.*)\]\r?\n")[1].rstrip(" ")

    def close(self):
        self.say("exit\n")
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def drift():
    """the completions are what --help says now"""
    done = subprocess.run([os.path.join(COMPLETIONS, "make.py"), "--check", "--bin", BIN], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def bash_offers():
    """bash offers what may follow"""
    for line, want in CASES:
        assert in_bash(line) == want, f"{line!r}: {in_bash(line)}, not {want}"


def bash_types():
    """a TAB in an interactive bash: words, names of files where one is wanted, and none elsewhere"""
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], [
        "bind 'set enable-bracketed-paste off'",
        *(f"source {COMPLETIONS}/{name}" for name in os.listdir(COMPLETIONS) if name.endswith(".bash"))])
    try:
        for line, want in CASES:
            if len(want) == 1:
                after = re.sub(r"[^\s=]*$", "", line) + next(iter(want))
                assert terminal.completed(line) == after, f"{line!r}: {terminal.completed(line)!r}, not {after!r}"
        for line, want in FILES:
            after = re.sub(r"[^\s=]*$", "", line) + want if want else line
            assert terminal.completed(line) == after, f"{line!r}: {terminal.completed(line)!r}, not {after!r}"
    finally:
        terminal.close()


def fish_offers():
    """fish offers what may follow"""
    if not shutil.which("fish"):
        return "fish is not installed"
    for line, want in CASES:
        prefix = line[line.rfind(" ") + 1:].partition("=")
        want = {f"{prefix[0]}={word}" for word in want} if prefix[1] else want
        if line.endswith(" "):
            want = {word for word in want if not word.startswith("-")}  # fish offers options once a dash is typed
        assert in_fish(line) == want, f"{line!r}: {in_fish(line)}, not {want}"
    for line, want in FILES:
        found = {word for word in in_fish(line) if "agent.yml" in word or "etc" in word}
        assert bool(found) == bool(want), f"{line!r}: {found}"
    return None


# zsh's completions are functions in files of their own; what they offer passes through compadd.
ZSH = r"""unsetopt zle_bracketed_paste auto_remove_slash; bindkey -e; fpath=($PWD/zsh $fpath); autoload -Uz compinit; compinit -u -D
compadd() {
  local -a hits
  if [[ " ${(j: :)@[1,(i)(-|--)]}" != *' -'(O|A|D)' '* ]]; then
    builtin compadd -A hits "$@"
    print -rl -- $hits >> offered
  fi
  builtin compadd "$@"
}"""


def zsh_offers():
    """zsh offers what may follow, and a TAB types names of files where one is wanted, and none elsewhere"""
    if not shutil.which("zsh"):
        return "zsh is not installed"
    os.mkdir("zsh")
    for program in PROGRAMS:
        shutil.copy(f"{COMPLETIONS}/{program}.zsh", f"zsh/_{program}")
    terminal = Terminal(["zsh", "-f", "-i"], ZSH.splitlines())
    try:
        for line, want in CASES:
            open("offered", "w").close()
            terminal.completed(line)
            with open("offered") as file:
                offered = set(file.read().split())
            if line.endswith(" "):
                want = {word for word in want if not word.startswith("-")}  # options once a dash is typed
            assert offered == want, f"{line!r}: {offered}, not {want}"
        for line, want in FILES:
            after = re.sub(r"[^\s=]*$", "", line) + want if want else line
            assert terminal.completed(line) == after, f"{line!r}: {terminal.completed(line)!r}, not {after!r}"
    finally:
        terminal.close()
    return None


def accepted():
    """what --help offers for the log is what the programs take, and nothing else"""
    with open("reflector.yml", "w") as file:
        file.write('{allow_unauthenticated: true, listen: ["127.0.0.1:40862"]}\n')
    for program, config in (("uplink_exporter", ()), ("uplink_reflector", ("--config.file", "reflector.yml"))):
        for option, words in (("--log.level", LEVELS), ("--log.format", {"logfmt", "json"})):
            assert in_bash(f"{program} {option} ") == words, f"{program} offers {in_bash(f'{program} {option} ')} for {option}"
            for word in (*words, "loud"):
                done = subprocess.run([f"{BIN}/{program}", *config, "--config.check", option, word], capture_output=True, text=True)
                assert done.returncode == (0 if word in words else 2), f"{program} {option} {word}: {done.returncode} {done.stderr}"
                assert word in words or option in done.stderr, f"{program} {option} {word}: {done.stderr}"


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        open("agent.yml", "w").close()
        os.mkdir("etc")
        for test in (drift, accepted, bash_offers, bash_types, fish_offers, zsh_offers):
            try:
                why = test()
                print(f"skip {test.__doc__}: {why}" if why else f"ok   {test.__doc__}")
                passed += not why
            except (AssertionError, OSError, subprocess.SubprocessError) as error:
                failed += 1
                print(f"FAIL {test.__doc__}: {error}")
        os.chdir("/")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
