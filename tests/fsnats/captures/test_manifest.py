from pathlib import Path

import pytest

from fsnats.binance.streams import Market
from fsnats.captures import manifest as manifests
from fsnats.captures.lines import Spelling, head
from fsnats.captures.lines import decode as decode_line
from fsnats.captures.manifest import GAPS_NAMED, Gap, StreamTally, Tally
from fsnats.frames import GAP, VERSION, Frame

NOTICE = b'{"e":"gap","stream":"btcusdt@trade","from":6,"to":8,"unit":"t","reason":"cannot be fetched","missed":3}'


def tally_of(*frames: tuple[int, bytes, int]) -> Tally:
    tally, spelling = Tally(), Spelling(Market.SPOT, "btcusdt@trade")
    for seq, (received_ns, payload, flags) in enumerate(frames, 1):
        frame = Frame(VERSION, "btcusdt@trade", received_ns, 7, seq, flags, payload)
        tally.count_row(decode_line(spelling.line(frame)))
    return tally


def test_lines_are_counted_by_stream_with_their_times_and_where_they_ended() -> None:
    first, last = 10**18, 10**18 + 5
    tally = tally_of((last, b"1", 0), (first, b"2", 0), (last + 9, NOTICE, GAP))
    assert (tally.lines, tally.frames, tally.gaps, tally.first_ns, tally.last_ns) == (3, 2, 1, first, last)
    assert tally.streams == {"spot:btcusdt@trade": StreamTally(2, 1, first, last, 7, 3)}
    assert tally.named == [Gap("spot:btcusdt@trade", 6, 8, "t", "cannot be fetched", 3)]


def test_a_line_without_a_message_counts_as_a_line() -> None:
    tally = Tally()
    tally.count_row(decode_line(b'{"t":1,"market":"spot","kind":"rest","raw":null}'))
    assert (tally.lines, tally.frames, tally.streams) == (1, 0, {})


def test_of_very_many_gaps_some_are_named_and_the_rest_counted() -> None:
    tally = tally_of(*[(10**18, NOTICE, GAP)] * (GAPS_NAMED + 2), (10**18, b"[]", GAP))
    written = manifests.manifest(tally, "x", 1, "", capture="c", number=1)
    assert (len(written.missing), written.gaps_unnamed) == (GAPS_NAMED, 3)


def test_a_notice_that_cannot_be_read_is_named_all_the_same() -> None:
    assert tally_of((10**18, b"[]", GAP)).named == [Gap("spot:btcusdt@trade", reason="a notice that cannot be read")]


def test_what_is_written_is_read_again() -> None:
    tally = tally_of((10**18, b"1", 0), (10**18 + 1, NOTICE, GAP))
    tally.count_row(decode_line(head(10**18, "fsnats", simulated=True)))
    written = manifests.manifest(tally, "x", 99, "ab", capture="c", number=3, repaired=True, cut_bytes=7)
    assert written.simulated
    assert manifests.decode(manifests.encode(written)) == written


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"\xff", b'{"version":1}'])
def test_what_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError):
        manifests.decode(text)


def test_one_of_another_version_is_refused() -> None:
    other = manifests.encode(manifests.manifest(Tally(), "x", 1, "", capture="", number=0))
    with pytest.raises(ValueError, match="version 2"):
        manifests.decode(other.replace(b'"sha256": ""', b'"sha256": "", "version": 2'))


def test_files_of_one_capture_follow_one_another_and_others_stand_alone() -> None:
    def of(capture: str, number: int) -> manifests.Manifest:
        return manifests.manifest(Tally(), "x", 1, "", capture=capture, number=number)

    a, b, c, d, e = map(Path, "abcde")
    files = [(a, of("one", 2)), (b, None), (c, of("two", 1)), (d, of("one", 1)), (e, of("", 0))]
    assert manifests.in_sequence(files) == [[d, a], [b], [c], [e]]
    assert manifests.beside(Path("/x/y.jsonl.zst")) == Path("/x/y.jsonl.zst.json")
