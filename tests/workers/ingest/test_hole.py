import random

from hypothesis import given
from hypothesis import strategies as st

from workers.ingest.gaps import without
from workers.ingest.hole import AGAIN_FIRST, LOST, ON_ITS_WAY, Hole, Piece, Told
from workers.ingest.pages import Answer
from workers.ingest.track import Missing


def ids(first: int, last: int) -> Missing:
    return Missing(first, last, "a")


def rows(*numbers: int) -> list[tuple[int, bytes]]:
    return [(number, b"%d" % number) for number in numbers]


def hole(*pages: tuple[int, int]) -> Hole:
    return Hole(ids(pages[0][0], pages[-1][1]), [ids(*page) for page in pages], 0.0)


def out(of: Hole) -> list[Piece]:
    return [piece for pieces in iter(of.in_order, []) for piece in pieces]


def test_pages_are_asked_for_in_order_and_each_once() -> None:
    one = hole((1, 2), (3, 4))

    assert [one.next_page(0), one.next_page(0), one.next_page(0)] == [ids(1, 2), ids(3, 4), None]
    assert one.in_flight == 2


def test_what_came_waits_for_what_belongs_before_it() -> None:
    one = hole((1, 2), (3, 4))
    first, second = one.next_page(0), one.next_page(0)
    assert first is not None
    assert second is not None
    one.answered(second, Answer(rows(3, 4), [], None), 0)
    assert (one.in_order(), one.blocks) == ([], True)

    one.answered(first, Answer(rows(1, 2), [], None), 0)
    assert out(one) == [b"1", b"2", b"3", b"4"]
    assert (one.blocks, one.is_done) == (False, True)


def test_what_rest_does_not_have_is_told_in_its_place() -> None:
    one = hole((1, 5))
    assert one.next_page(0) is not None
    one.answered(ids(1, 5), Answer(rows(2, 5), [ids(1, 1), ids(3, 4)], None), 0)

    assert out(one) == [Told(ids(1, 1), LOST), b"2", Told(ids(3, 4), LOST), b"5"]


def test_what_rest_may_have_later_is_asked_for_again_at_growing_distances() -> None:
    one = hole((1, 5))
    assert one.next_page(0) == ids(1, 5)
    one.answered(ids(1, 5), Answer(rows(1, 2), [], ids(3, 5)), 0)
    assert one.next_page(AGAIN_FIRST - 0.01) is None
    assert one.next_page(AGAIN_FIRST) == ids(3, 5)

    one.answered(ids(3, 5), Answer([], [], ids(3, 5)), 10)
    assert one.next_page(10 + AGAIN_FIRST) is None
    assert one.next_page(10 + 2 * AGAIN_FIRST) == ids(3, 5)


def test_a_whole_page_of_rows_that_leaves_a_rest_is_followed_at_once() -> None:
    one = hole((1, 1500))
    assert one.next_page(0) is not None
    one.answered(ids(1, 1500), Answer(rows(*range(1, 1001)), [], ids(1001, 1500)), 0)

    assert one.next_page(0) == ids(1001, 1500)


def test_a_page_that_could_not_be_asked_for_is_next_again() -> None:
    one = hole((1, 2), (3, 4))
    assert [one.next_page(0), one.next_page(0)] == [ids(1, 2), ids(3, 4)]
    one.failed(ids(1, 2))

    assert one.next_page(0) == ids(1, 2)


def test_a_page_that_is_refused_is_lost() -> None:
    one = hole((1, 2))
    assert one.next_page(0) is not None
    one.refused(ids(1, 2))

    assert out(one) == [Told(ids(1, 2), LOST)]
    assert one.is_done


def test_when_it_is_let_go_what_came_and_what_comes_later_is_said_in_order_and_the_rest_comes_late() -> None:
    one = hole((1, 2), (3, 4), (5, 6), (7, 8))
    for _ in range(3):
        one.next_page(0)
    one.answered(ids(3, 4), Answer(rows(3, 4), [], None), 0)
    one.let_go()
    assert one.blocks
    assert out(one) == [Told(ids(1, 2), ON_ITS_WAY), b"3", b"4", Told(ids(5, 8), ON_ITS_WAY)]
    assert not one.blocks

    one.answered(ids(5, 6), Answer(rows(5, 6), [], None), 3)
    assert (one.in_order(), one.late(), one.late()) == ([], [b"5", b"6"], [])
    one.give_up()
    assert [one.late(), one.late(), one.is_done] == [[Told(ids(1, 2), LOST)], [Told(ids(7, 8), LOST)], True]
    one.answered(ids(1, 2), Answer(rows(1, 2), [], None), 400)
    assert one.late() == []


def test_what_lies_before_the_first_page_is_lost_at_once() -> None:
    one = Hole(ids(1, 9), [ids(5, 9)], 0.0)

    assert out(one) == [Told(ids(1, 4), LOST)]
    assert one.blocks


@given(st.integers(1, 60), st.integers(1, 9), st.randoms(use_true_random=False))
def test_whatever_happens_each_id_comes_once_or_is_told_as_lost_once(
    size: int, page_size: int, chance: random.Random
) -> None:
    pages = [ids(first, min(first + page_size - 1, size)) for first in range(1, size + 1, page_size)]
    one = Hole(ids(1, size), pages, 0.0)
    has = {number for number in range(1, size + 1) if chance.random() < 0.9}  # what REST will ever have
    in_order: list[Piece] = []
    late: list[Piece] = []
    flying: list[Missing] = []
    now = 0.0

    def look() -> None:
        in_order.extend(one.in_order())
        late.extend(one.late())

    for _ in range(200):
        match chance.choice(("ask", "ask", "answer", "answer", "fail", "time", "go", "look", "look", "refuse")):
            case "ask":
                page = one.next_page(now)
                if page is not None:
                    flying.append(page)
            case "answer" if flying:
                page = flying.pop(chance.randrange(len(flying)))
                known = chance.randint(page.first - 1, page.last)
                come = [number for number in range(page.first, known + 1) if number in has]
                absent = without(ids(page.first, known), come) if known >= page.first else []
                rest = ids(known + 1, page.last) if known < page.last else None
                one.answered(page, Answer(rows(*come), absent, rest), now)
            case "fail" if flying:
                one.failed(flying.pop())
            case "refuse" if flying and chance.random() < 0.2:
                one.refused(flying.pop())
            case "time":
                now += chance.random()
            case "go" if chance.random() < 0.2:
                one.let_go()
            case "look":
                look()
    one.give_up()
    while not one.is_done:
        look()

    def numbers(pieces: list[Piece], reason: str) -> list[int]:
        found: list[int] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                found.append(int(piece))
            elif piece.reason == reason:
                found.extend(range(piece.missing.first, piece.missing.last + 1))
        return found

    assert sorted(numbers(in_order + late, LOST)) == list(range(1, size + 1))
    announced = [
        number
        for piece in in_order
        for number in ([int(piece)] if isinstance(piece, bytes) else range(piece.missing.first, piece.missing.last + 1))
    ]
    assert announced == list(range(1, size + 1))  # in order, every id has its payload or a notice
