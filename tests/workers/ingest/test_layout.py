from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.limits import STREAMS_PER_CONNECTION
from fsnats.binance.streams import Route
from workers.ingest.layout import FeedKey, Layout

STREAMS = st.dictionaries(st.sampled_from([f"s{number}" for number in range(30)]), st.sampled_from(Route))


def test_each_route_has_feeds_of_its_own() -> None:
    layout = Layout()

    assert layout.arrange({"book": Route.PUBLIC, "kline": Route.MARKET}) == {
        FeedKey(Route.PUBLIC, 0): {"book"},
        FeedKey(Route.MARKET, 0): {"kline"},
    }


def test_a_full_feed_is_followed_by_another() -> None:
    layout = Layout(capacity=2)

    feeds = layout.arrange(dict.fromkeys("abcde", Route.NONE))

    assert [len(feeds[FeedKey(Route.NONE, number)]) for number in range(3)] == [2, 2, 1]


def test_a_feed_stays_below_what_the_exchange_allows() -> None:
    feeds = Layout().arrange({str(number): Route.NONE for number in range(STREAMS_PER_CONNECTION + 1)})

    assert max(map(len, feeds.values())) < STREAMS_PER_CONNECTION


def test_a_feed_without_streams_is_dropped() -> None:
    layout = Layout(capacity=1)
    layout.arrange(dict.fromkeys("ab", Route.NONE))

    assert layout.arrange({"b": Route.NONE}) == {FeedKey(Route.NONE, 1): {"b"}}


def test_a_stream_moves_to_another_feed_of_its_route_and_stays_there() -> None:
    layout = Layout()
    streams = dict.fromkeys("ab", Route.PUBLIC)
    layout.arrange(streams)
    layout.move("a")
    for _ in range(2):
        assert layout.arrange(streams) == {FeedKey(Route.PUBLIC, 0): {"b"}, FeedKey(Route.PUBLIC, 1): {"a"}}
    layout.move("b")
    assert layout.arrange(streams) == {FeedKey(Route.PUBLIC, 1): {"a", "b"}}


def test_a_stream_whose_route_changes_is_carried_there() -> None:
    layout = Layout()
    layout.arrange({"a": Route.PUBLIC, "b": Route.PUBLIC})
    assert layout.arrange({"a": Route.MARKET, "b": Route.PUBLIC}) == {
        FeedKey(Route.PUBLIC, 0): {"b"},
        FeedKey(Route.MARKET, 0): {"a"},
    }


def test_a_displaced_stream_goes_where_a_new_one_would() -> None:
    layout = Layout()
    streams = dict.fromkeys("ab", Route.NONE)
    layout.arrange(streams)
    layout.move("a")
    layout.displace("a")
    assert layout.arrange(streams) == {FeedKey(Route.NONE, 0): {"a", "b"}}


@given(st.lists(STREAMS, max_size=8), st.integers(1, 5))
def test_each_stream_is_on_one_feed_of_its_route_and_stays(wishes: list[dict[str, Route]], capacity: int) -> None:
    layout = Layout(capacity)
    routes: dict[str, Route] = {}
    before: dict[str, FeedKey] = {}
    for streams in wishes:
        for name in streams:
            routes.setdefault(name, streams[name])
        wanted = {name: routes[name] for name in streams}
        feeds = layout.arrange(wanted)
        after = {name: key for key, names in feeds.items() for name in names}

        assert after.keys() == wanted.keys()
        assert sum(map(len, feeds.values())) == len(wanted)
        assert all(0 < len(names) <= capacity for names in feeds.values())
        assert all(key.route is routes[name] for name, key in after.items())
        assert all(after[name] == before[name] for name in after.keys() & before.keys())
        before = after
