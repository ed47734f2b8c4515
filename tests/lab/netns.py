"""Running things inside a named network namespace of the lab.

Everything lives under one `unshare -nmpf --kill-child` (see enter()): the namespaces' names sit on a tmpfs that
covers /run, so that nothing is left behind and the host's own namespaces are never seen.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
INSIDE = "UPLINK_LAB_INSIDE"
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something the lab itself needs did not work, or an expectation was not met."""


def unshare_command(*command):
    """The command that runs `command` as the first process of a new, private world."""
    return ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
            "env", f"{INSIDE}=1", *command]


def missing_tools(*tools):
    """Those of `tools` that are not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [tool for tool in tools if not shutil.which(tool, path=path)]


def enter():
    """Prepares the private world this process was started in; refuses to touch any other."""
    if os.environ.get(INSIDE) != "1" or os.getpid() != 1:
        raise LabError("the lab runs only as the first process under unshare (use run.py)")
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.makedirs("/run/lab")


@contextlib.contextmanager
def entered(name):
    """The calling thread is in namespace `name` within the block; no other thread moves."""
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{name}") as there:
        _setns(there)
        try:
            yield
        finally:
            _setns(home)


def _setns(file):
    if _libc.setns(file.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def socket_in(name, kind=socket.SOCK_DGRAM, family=socket.AF_INET):
    """A socket that belongs to namespace `name`, usable from any thread."""
    with entered(name):
        return socket.socket(family, kind)


def answer_names(addresses):
    """From here on these DNS names have these addresses, in every namespace of this private world."""
    text = "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in addresses.items())
    with open("/run/lab/hosts", "w") as file:
        file.write(text)
    subprocess.run(["mount", "--bind", "/run/lab/hosts", "/etc/hosts"], check=True)


def run(name, *command, stdin=None, check=True):
    """Runs a command in namespace `name` (None: where we are) and returns its standard output."""
    prefix = ["ip", "netns", "exec", name] if name else []
    done = subprocess.run([*prefix, *command], input=stdin, capture_output=True, text=True)
    if check and done.returncode != 0:
        raise LabError(f"{name}: {' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}\n{stdin or ''}")
    return done.stdout


def ip(name, *lines):
    """Runs iproute2 commands in namespace `name`, one a line, stopping at the first that fails."""
    run(None, "ip", *(["-n", name] if name else []), "-batch", "-", stdin="\n".join(lines) + "\n")


def sysctl(name, **values):
    """Sets sysctls in namespace `name`; a double underscore in a key stands for a dot, as in net__ipv4__ip_forward."""
    with entered(name):
        for key, value in values.items():
            with open("/proc/sys/" + key.replace("__", "/"), "w") as file:
                file.write(str(value))


def spawn(command, **options):
    """Starts an unshare_command() that cannot outlive us, even if we are killed; its whole world dies with it."""
    return subprocess.Popen(command, preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), **options)


def rerun(script, *arguments, pass_fds=()):
    """Runs the same script inside a private world and returns its exit status.

    unshare ignores SIGTERM and SIGINT, so the signals are seen to here: Ctrl-C reaches the script through the
    terminal, and SIGTERM ends everything at once.
    """
    child = spawn(unshare_command(sys.executable, script, *arguments), pass_fds=pass_fds)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.kill())
    status = child.wait()
    return status if status >= 0 else 128 - status
