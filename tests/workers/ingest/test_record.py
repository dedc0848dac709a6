from workers.ingest.record import Record, State


def record(connected_since: float | None, last_message: float | None) -> Record:
    return Record(
        "ingest-spot-0-0a",
        State.CONNECTED,
        "direct",
        ["btcusdt@trade"],
        1,
        1,
        10,
        0,
        1,
        0,
        connected_since,
        last_message,
        None,
        None,
        0,
        0.0,
        0.0,
    )


def test_times_are_told_as_ages() -> None:
    told = record(1000.0, 1009.9996).told(1010.0)

    assert (told["age"], told["last_message_age"]) == (10.0, 0.0)
    assert not told.keys() & {"connected_since", "last_message"}
    assert told["status"] == "connected"


def test_what_is_not_open_has_no_age() -> None:
    told = record(None, None).told(1010.0)

    assert (told["age"], told["last_message_age"]) == (None, None)
