"""A real OpenVPN server in the cloud and a real client on the gateway, as in the seed."""
import os
import re
import subprocess

from . import netns, topology, world

HOME = "/run/lab/openvpn"
CLIENT_LOG = f"{HOME}/client.log"
SERVER_LOG = f"{HOME}/server.log"
CLIENT_STATUS, SERVER_STATUS = f"{HOME}/client.status", f"{HOME}/server.status"
CLIENT_SOCKET, SERVER_SOCKET = f"{HOME}/client.sock", f"{HOME}/server.sock"
SERVER_INSIDE = "10.9.0.1"  # the server's address in the tunnel

_server = None


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=HOME)


def make_certificates():
    """A certificate authority and one certificate each for server and client, on elliptic curves to be quick."""
    os.makedirs(HOME, exist_ok=True)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "30", "-subj", "/CN=lab")
    for name, usage in (("server", "serverAuth"), ("client", "clientAuth")):
        with open(f"{HOME}/{name}.ext", "w") as file:
            file.write(f"extendedKeyUsage={usage}\nkeyUsage=digitalSignature\n")
        _openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}name")
        _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                 "30", "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def _common(name, log):
    return f"""
dev tun0
dev-type tun
proto udp
topology net30
ca {HOME}/ca.crt
cert {HOME}/{name}.crt
key {HOME}/{name}.key
persist-key
persist-tun
disable-dco
verb 3
log {log}
"""


def start_server(ping=2, restart=8, more=""):
    """The server; the home's LAN is behind its one client. `keepalive` is short, so that the loop is quick to watch;
    with a ping of 0 it has none.
    """
    os.makedirs(f"{HOME}/clients", exist_ok=True)
    with open(f"{HOME}/clients/clientname", "w") as file:
        file.write("ifconfig-push 10.9.0.10 10.9.0.9\niroute 192.168.10.0 255.255.255.0\n")
    with open(f"{HOME}/server.conf", "w") as file:
        file.write(_common("server", SERVER_LOG) + f"""
server 10.9.0.0 255.255.255.0
route 192.168.10.0 255.255.255.0
client-config-dir {HOME}/clients
client-to-client
{f"keepalive {ping} {restart}" if ping else ""}
port 1194
dh none
{more}""")
    global _server
    _server = world.Process("cloud", "openvpn-server", ["openvpn", "--config", f"{HOME}/server.conf"])
    return _server


def kill_server():
    _server.kill()


def client_log():
    return _read(CLIENT_LOG)


def start_client(more="", where="gw", log=CLIENT_LOG, server=topology.CLOUD, port=None):
    """A client with the one certificate that there is, in namespace `where`; always from `port` where one is given."""
    path = f"{HOME}/client-{where}.conf"
    with open(path, "w") as file:
        file.write(_common("client", log) + f"""
client
remote {server} 1194
{f"lport {port}" if port else "nobind"}
remote-cert-tls server
{more}""")
    return world.Process(where, f"openvpn-client-{where}", ["openvpn", "--config", path])


def arrivals():
    """Source address and port of every handshake that the server has completed, oldest first."""
    return re.findall(r"Peer Connection Initiated with \[AF_INET\]([\d.]+:\d+)", _read(SERVER_LOG))


def restarts():
    """How often the client has restarted because the server's pings stopped coming."""
    return _read(CLIENT_LOG).count("SIGUSR1[soft,ping-restart] received")


def connects():
    """How often the client has become connected."""
    return _read(CLIENT_LOG).count("Initialization Sequence Completed")


def reaches_home():
    """The cloud reaches the home's LAN through the tunnel."""
    ping = ["ping", "-c", "1", "-W", "1", "-I", SERVER_INSIDE, topology.LAN_HOST]
    try:
        return "1 received" in netns.run("cloud", *ping, check=False)
    except OSError:
        return False


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
