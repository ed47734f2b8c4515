"""uplink_nat_info: each NAT type of RFC 4787 against a server of RFC 5780 (coturn's), and what is known without one."""
from . import agent, netns, topology, world
from .agent import FIVE_G, MANSION, Home
from .registry import expect, scenario

SECOND = "198.18.0.11"  # coturn's other address
EIM, ADM, APDM = EI, AD, APD = "endpoint_independent", "address_dependent", "address_and_port_dependent"


def nat_info(uplink):
    """(mapping, filtering, carrier_grade) as the agent tells them."""
    found = world.scrape("gw").all("uplink_nat_info", uplink=uplink)
    expect(len(found) == 1 and found[0][1] == 1, f"uplink_nat_info of {uplink}: {found}")
    return tuple(found[0][0][label] for label in ("mapping", "filtering", "carrier_grade"))


def _wait(uplink, expected, timeout=60):
    try:
        world.wait_until(lambda: nat_info(uplink) == expected, timeout, f"{uplink}: {expected}", every=0.5)
    except netns.LabError as error:
        raise AssertionError(f"{error}, but {nat_info(uplink)}") from error


def _home(*addresses, **config):
    """Our reflector in the cloud, and coturn with so many addresses as the witness."""
    home = Home(probe={"holds": []}, **{"witnesses": [f"{topology.WITNESS}:{agent.STUN_PORT}"], **config})
    if SECOND in addresses:
        netns.ip("witness", f"addr add {SECOND}/24 dev eth0")
    agent.start_witness(*addresses)
    return home


def _type(mapping, filtering, carrier_grade="yes", prepare=None):
    """The carrier's NAT is as `prepare` makes it; the 5G router is Linux with a private address before it."""
    home = _home(topology.WITNESS, SECOND)
    if prepare:
        prepare(home.carrier)
    verdicts = home.healthy()
    _wait(MANSION, (mapping, filtering, carrier_grade))
    _wait(FIVE_G, (EIM, APD, "unknown"))
    expect(agent.page_says("NAT mapping", mapping.replace("_", " ")), "the page does not tell the NAT's mapping")
    verdicts.only(MANSION, "unknown", "healthy")
    home.done()


@scenario(120)
def nat_type_full_cone():
    """endpoint-independent mapping and filtering"""
    _type(EIM, EI, prepare=lambda carrier: carrier.full_cone())


@scenario(120)
def nat_type_address_restricted():
    """endpoint-independent mapping, address-dependent filtering"""
    _type(EIM, AD, prepare=lambda carrier: carrier.address_restricted())


@scenario(120)
def nat_type_port_restricted():
    """endpoint-independent mapping, address- and port-dependent filtering"""
    _type(EIM, APD, prepare=lambda carrier: carrier.port_restricted())


@scenario(120)
def nat_type_symmetric():
    """address- and port-dependent mapping and filtering"""
    _type(APDM, APD, prepare=lambda carrier: carrier.symmetric())


@scenario(120)
def nat_type_address_dependent():
    """address-dependent mapping"""
    _type(ADM, APD, prepare=lambda carrier: carrier.address_dependent())


@scenario(180)
def nat_type_per_packet():
    """another outer port for every packet: said when seen twice"""
    _type("per_packet", "unknown", prepare=lambda carrier: carrier.rotating_ports())


@scenario(120)
def nat_type_none():
    """nobody translates, nobody filters"""
    _type("none", EI, "none", prepare=lambda carrier: carrier.no_nat())


@scenario(120)
def nat_type_carrier_grade():
    """an address of RFC 6598 before a Linux NAT"""
    _type(EIM, APD, prepare=lambda carrier: topology.redial_shared_address())


@scenario(120)
def nat_type_without_rfc_5780():
    """a reflector of ours and a server with one address: the mapping is known, the filter is not"""
    home = _home(topology.WITNESS)
    home.healthy()
    _wait(MANSION, (EIM, "unknown", "yes"))
    home.carrier.symmetric()
    home.carrier.forget_udp()
    _wait(MANSION, ("destination_dependent", "unknown", "yes"), 100)  # its outer address is the same: seen in time
    home.done()
