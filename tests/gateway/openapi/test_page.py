import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from fsnats.binance.streams import Market
from gateway.openapi.document import document, operations
from gateway.openapi.page import BASE, ROOT, page, placed

ALL = tuple(Market)
DOCUMENT: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document(ALL)))
PAGE = placed(page(DOCUMENT), "https://data.example.com", "").decode()
VOID = {"meta", "link"}


class Reader(HTMLParser):
    """What is on a page, and whether every element ends where it should."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fields = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [fields[name] or "" for name in ("href", "src") if name in fields]
        assert not [name for name in fields if name.startswith("on") or name == "style"]
        if re.fullmatch(r"h\d", tag):
            self.levels.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def read() -> Reader:
    reader = Reader()
    reader.feed(PAGE)
    reader.close()
    assert reader.open == []
    return reader


def test_every_operation_is_on_it_with_a_line_to_try(read: Reader) -> None:
    every = list(operations(ALL))
    text = PAGE.replace("&amp;", "&").replace("&#x27;", "'").replace("&quot;", '"')
    for each in every:
        assert f"https://data.example.com{each.example}'".replace("%20", " ") in text, each.example
    assert len([each for each in read.ids if each.startswith(("get_", "post_"))]) == len(every)


def test_names_are_there_once_and_links_within_it_lead_somewhere(read: Reader) -> None:
    assert len(set(read.ids)) == len(read.ids)
    inside = {each[1:] for each in read.links if each.startswith("#")}
    assert inside <= set(read.ids)
    assert "streams" in inside


def test_it_needs_no_script_and_nothing_of_others(read: Reader) -> None:
    assert "<script" not in PAGE
    assert {each for each in read.links if not each.startswith("#")} == {
        "dashboard/icon.svg",
        "dashboard/dashboard.css",
        "dashboard/docs.css",
        "./",
        "docs",
        "schema",
    }


def test_headings_go_down_one_level_at_a_time(read: Reader) -> None:
    assert read.levels[0] == 1
    assert all(after <= before + 1 for before, after in zip(read.levels, read.levels[1:], strict=False))


def test_it_is_told_where_it_was_found() -> None:
    below = placed(page(DOCUMENT), "http://[::1]:8080", "../").decode()
    assert "curl 'http://[::1]:8080/healthz'".replace("'", "&#x27;") in below
    assert "ws://[::1]:8080/normalised" in below
    assert 'href="../dashboard/docs.css"' in below
    assert BASE not in below
    assert ROOT not in below


def test_outlines_have_lines() -> None:
    assert "{\n  &quot;lastUpdateId&quot;: whole number,\n" in PAGE
    assert "\\n" not in PAGE


def test_what_is_told_is_text() -> None:
    told = {**DOCUMENT, "info": {**DOCUMENT["info"], "description": "<b>`x`</b>"}}
    assert "&lt;b&gt;<code>x</code>&lt;/b&gt;" in page(told)
