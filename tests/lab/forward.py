"""Ports on the host's loopback that lead to the gateway's loopback.

The listening sockets are opened before the private world begins and are inherited into it: a socket stays in the
network it was made in, so the host's own browser reaches what runs in the lab, and no helper program is needed.
"""
import socket
import threading

from . import netns

PAGES = (("agent", 10177, "/"), ("Prometheus", 9090, "/graph?g0.expr=uplink_verdict%20%3D%3D%201&g0.tab=1"),
         ("Alertmanager", 9093, "/"))


class Forwards:
    def __init__(self, sockets):
        self._sockets = sockets  # of PAGES, in their order

    @classmethod
    def listen(cls):
        """One loopback port for each page: its usual one where that is free, else any."""
        sockets = []
        for _, port, _ in PAGES:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                listener.bind(("127.0.0.1", 0))
            listener.listen(16)
            sockets.append(listener)
        return cls(sockets)

    def __str__(self):
        return ",".join(str(s.fileno()) for s in self._sockets)

    @classmethod
    def parse(cls, text):
        return cls([socket.socket(fileno=int(fd)) for fd in text.split(",")])

    def fds(self):
        return [s.fileno() for s in self._sockets]

    def start(self):
        for listener, (_, port, _) in zip(self._sockets, PAGES):
            listener.set_inheritable(False)
            threading.Thread(target=self._accept, args=(listener, port), daemon=True).start()

    def _accept(self, listener, port):
        while True:
            near = listener.accept()[0]
            threading.Thread(target=join, args=(near, "gw", port), daemon=True).start()

    def base(self, page):
        """http://127.0.0.1:PORT of a page as the host sees it."""
        index = [name for name, _, _ in PAGES].index(page)
        return f"http://127.0.0.1:{self._sockets[index].getsockname()[1]}"

    def urls(self):
        return "\n".join(f"    {name:13} {self.base(name)}{path}" for name, _, path in PAGES) + "\n"


def join(near, name, port):
    """Joins a connection that was accepted to loopback `port` in namespace `name`, until both sides have ended."""
    far = netns.socket_in(name, socket.SOCK_STREAM)
    try:
        far.connect(("127.0.0.1", port))
    except OSError:  # not up yet
        near.close()
        far.close()
        return
    back = threading.Thread(target=_copy, args=(far, near), daemon=True)
    back.start()
    _copy(near, far)
    back.join()
    near.close()
    far.close()


def _copy(source, sink):
    """Moves bytes until the source ends, then tells the sink so."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
