"""Subnets of daemons' bridges."""

from drydock import subnets


def test_a_daemon_has_the_subnet_of_its_number() -> None:
    """And finds it again when its bridge is there."""
    assert subnets.choose("drydock1", 5, {}) == "10.87.20.0/22"
    assert subnets.choose("drydock1", 69, {"10.87.20.0": "drydock1"}) == "10.87.20.0/22"


def test_a_subnet_that_another_bridge_has_is_left_alone() -> None:
    """Two daemons in one subnet would take each other's addresses, and delete each other's rules."""
    taken = {"10.87.252.0": "drydock2", "10.87.0.0": "docker0"}
    assert subnets.choose("drydock1", 63, taken) == "10.87.4.0/22"
    assert subnets.choose("drydock1", 63, {**taken, "10.87.8.0": "drydock1"}) == "10.87.8.0/22"


def test_this_machines_routes_are_read() -> None:
    """Every interface that leads somewhere, loopback aside."""
    assert all(name.count(".") == 3 for name in subnets.routes())
