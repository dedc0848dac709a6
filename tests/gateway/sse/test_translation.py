from fsnats.websocket import frames
from gateway.sse.places import Place, read
from gateway.sse.translation import Translation, ended


def events(translation: Translation, *texts: bytes) -> list[bytes]:
    found = translation.events(b"".join(frames.text(text) for text in texts))
    assert found.endswith(b"\n\n")
    return found.split(b"\n\n")[:-1]


def test_data_is_a_message_with_the_place_in_all_streams_as_its_id() -> None:
    translation = Translation(["a@trade", "b@trade"], {"b@trade": (36, 5)})
    first, second = events(
        translation,
        b'{"type":"trade","stream":"a@trade","epoch":36,"seq":1,"data":{"p":1.50},"timestamp":"x"}',
        b'{"type":"trade","stream":"b@trade","snapshot":true,"received":7,"epoch":36,"seq":6,"data":{}}',
    )

    assert first == b'id: 10.1,5\ndata: {"type":"trade","data":{"p":1.50},"timestamp":"x"}'
    assert second == b'id: 10.1,6\ndata: {"type":"trade","snapshot":true,"received":7,"data":{}}'


def test_raw_data_keeps_the_name_of_its_stream() -> None:
    (event,) = events(Translation(["a@trade"], {}), b'{"stream":"a@trade","epoch":36,"seq":1,"data":{"e":"trade"}}')
    assert event == b'id: 10.1\ndata: {"stream":"a@trade","data":{"e":"trade"}}'


def test_what_is_no_data_is_an_event_with_a_name_and_leaves_the_id_alone() -> None:
    gap = b'{"type":"gap","market":"spot","data":{"e":"gap","stream":"a@trade"}}'
    assert events(Translation(["a@trade"], {}), gap) == [b"event: gap\ndata: " + gap]


def test_pings_are_comments_and_other_frames_nothing() -> None:
    translation = Translation(["a@trade"], {})
    assert translation.events(frames.ping(b"1795174351645")) == b": heartbeat\n\n"
    assert translation.events(frames.close(1012, "Service restart")) == b""


def test_frames_of_any_length_are_taken_apart() -> None:
    for length in (0, 1, 80, 125, 126, 127, 65_535, 65_536, 200_000):
        text = b'{"type":"x","y":"%b"}' % (b"y" * length)
        assert events(Translation([], {}), text, text) == [b"event: x\ndata: " + text] * 2


def test_a_line_break_cannot_end_a_field() -> None:
    (event,) = events(Translation(["a@trade"], {}), b'{"stream":"a@trade","epoch":1,"seq":1,"data":{\r\n"p":1}}')
    assert event == b'id: 1.1\ndata: {"stream":"a@trade","data":{  "p":1}}'


def test_ids_can_be_read_back() -> None:
    translation = Translation(["a@trade", "b@trade"], {})
    (event,) = events(translation, b'{"stream":"b@trade","epoch":99,"seq":7,"data":{}}')
    assert read(event.partition(b"\n")[0].removeprefix(b"id: ").decode(), 2) == [None, (99, 7)]


def test_the_beginning_says_where_the_reader_is_so_that_one_who_heard_nothing_yet_is_known_when_it_comes_back() -> None:
    places: list[tuple[dict[str, Place], bytes]] = [({}, b","), ({"b@trade": (36, 5)}, b",10.5")]
    for known, line in places:
        assert Translation(["a@trade", "b@trade"], known).beginning() == b"retry: 1000\n\nid: " + line + b"\n\n"
    assert Translation(["a@trade"], {}).beginning().endswith(b"\n\nid: -\n\n")  # an empty one would not come back
    assert read("-", 1) is None


def test_the_end_says_why() -> None:
    assert ended(1012, "Service restart") == b'event: close\ndata: {"code":1012,"reason":"Service restart"}\n\n'
