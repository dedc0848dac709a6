import socket

import pytest

from fsnats.errors import ConfigError
from fsnats.websocket.serve import listen


def test_an_address_that_cannot_be_had_names_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"FSNATS_GATEWAY_PORT: cannot listen on 127\.0\.0\.1:"):
            listen("127.0.0.1", taken.getsockname()[1], "FSNATS_GATEWAY_PORT")


def test_two_processes_may_share_a_port() -> None:
    first = listen("127.0.0.1", 0, "PORT")
    second = listen("127.0.0.1", first.getsockname()[1], "PORT")

    assert first.getsockname() == second.getsockname()
    first.close()
    second.close()
