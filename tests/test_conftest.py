"""The fence around the network can fail."""

import socket

import pytest

from tests.conftest import NetworkForbidden


def test_a_connection_to_another_machine_is_refused() -> None:
    with socket.socket() as outside, pytest.raises(NetworkForbidden):
        outside.connect(("192.0.2.1", 80))


def test_a_name_of_another_machine_is_not_even_looked_up() -> None:
    with pytest.raises(NetworkForbidden):
        socket.create_connection(("github.com", 443), timeout=1)


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
