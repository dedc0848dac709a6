import msgspec
import pytest

from workers.recorder import deliveries


def test_a_messages_place_is_in_its_reply_subject() -> None:
    assert deliveries.place("$JS.ACK.fsnats_replay_usdm.recorder.1.1042.17.1795174351645000000.250") == (1042, 250)


def test_servers_with_domains_say_it_further_back() -> None:
    reply = "$JS.ACK.hub.ACCOUNT.fsnats_replay_usdm.recorder.1.1042.17.1795174351645000000.250"
    assert deliveries.place(reply) == (1042, 250)
    assert deliveries.place(f"{reply}.random") == (1042, 250)


@pytest.mark.parametrize("reply", ["", "_INBOX.x.1", "$JS.ACK.a.b", "$JS.ACK.a.b.1.x.3.4.5", "$JS.ACK.a.b.1.2.3.4.5.6"])
def test_what_is_no_message_has_no_place(reply: str) -> None:
    assert deliveries.place(reply) is None


def test_a_consumer_begins_where_it_is_told_to() -> None:
    def config(start: int) -> dict[str, object]:
        made = deliveries.consumer("window", "me", ["a.*"], start, 1000, 60.0)
        found: dict[str, object] = msgspec.json.decode(made)["config"]
        return found

    assert config(0)["deliver_policy"] == "all"
    assert config(7)["opt_start_seq"] == 7
    assert config(7)["ack_policy"] == "all"
    assert config(7)["inactive_threshold"] == 60_000_000_000
