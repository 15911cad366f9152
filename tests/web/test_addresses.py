import socket

import pytest

from web.addresses import is_loopback, shown_address, site_names


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_the_usual_loopback_is_this_machine_alone(host: str) -> None:
    assert is_loopback(host)
    assert set(site_names(host)) == {"127.0.0.1", "localhost", "::1"}
    assert shown_address(host, 8600).startswith("http://")


@pytest.mark.parametrize("host", ["127.0.0.2", "192.168.1.10", "0.0.0.0", "::"])
def test_everything_else_counts_as_the_network(host: str) -> None:
    assert not is_loopback(host)
    assert shown_address(host, 8600).startswith("https://")


def test_an_address_of_version_six_stands_in_brackets() -> None:
    assert shown_address("::1", 8600) == "http://[::1]:8600"


def test_on_the_network_the_machine_answers_to_its_names_too() -> None:
    names = site_names("192.168.1.10")
    assert names[0] == "192.168.1.10"
    assert socket.gethostname().lower() in names
    assert len(names) == len(set(names))


def test_listening_everywhere_shows_an_address_that_others_can_use() -> None:
    shown = shown_address("0.0.0.0", 8600)
    assert shown.endswith(":8600")
    assert "0.0.0.0" not in shown
