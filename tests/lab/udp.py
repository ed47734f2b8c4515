"""A tiny UDP echo and probe, to show what a NAT behaviour does without any program of ours."""
import socket
import time

from . import netns, topology, world

PORT = 5005


class Echo:
    """Answers every datagram in namespace `name`; a datagram "hold S" is answered after S seconds."""

    def __init__(self, name="cloud", address=topology.CLOUD, port=PORT):
        self.socket = netns.socket_in(name)
        self.socket.bind((address, port))
        self.socket.settimeout(0.05)
        self.received = []  # (payload, source port)
        self._late = []
        self._thread = world.Periodic(0, self._turn)

    def _turn(self):
        now = time.monotonic()
        for item in [item for item in self._late if item[0] <= now]:
            self._late.remove(item)
            self.socket.sendto(item[1], item[2])
        try:
            data, source = self.socket.recvfrom(2048)
        except OSError:
            return
        self.received.append((data.decode(), source[1]))
        hold = float(data.split()[1]) if data.startswith(b"hold") else 0
        self._late.append((now + hold, data, source))

    def stop(self):
        self._thread.stop()
        self.socket.close()


class Flow:
    """One UDP socket of the gateway that leaves through eth2 (or the interface given)."""

    def __init__(self, interface="eth2", to=topology.CLOUD, name="gw"):
        self.socket = netns.socket_in(name)
        if interface:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self.socket.bind(("", 0))
        self.socket.setblocking(False)
        self.to = (to, PORT)

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def send(self, text):
        self.socket.sendto(text.encode(), self.to)

    def replies(self):
        """What has arrived since the last call."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(2048).decode())
            except BlockingIOError:
                return found
            except OSError:  # an ICMP error of an earlier datagram
                continue

    def train(self, count, every, label="p"):
        """Sends `count` numbered datagrams and returns the numbers that were answered."""
        answers = []
        for i in range(count):
            self.send(f"{label} {i}")
            time.sleep(every)
            answers += self.replies()  # as they come: the socket's buffer holds a few hundred
        time.sleep(0.3)
        return [int(text.split()[1]) for text in answers + self.replies() if text.startswith(label + " ")]


def tcp_echo_once(port=5006):
    """True where a TCP connection from the gateway through eth2 to the cloud carries a byte each way."""
    server = netns.socket_in("cloud", socket.SOCK_STREAM)
    client = netns.socket_in("gw", socket.SOCK_STREAM)
    with server, client:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((topology.CLOUD, port))
        server.listen(1)
        server.settimeout(4)
        client.settimeout(4)
        try:
            client.connect((topology.CLOUD, port))
            accepted = server.accept()[0]
            with accepted:
                accepted.settimeout(4)
                client.sendall(b"x")
                accepted.sendall(accepted.recv(1))
                return client.recv(1) == b"x"
        except OSError:
            return False
