"""Two connections carry the same streams, and one of them does not bring all."""

import logging

import pytest

from workers.ingest.onesided import OneSided
from workers.ingest.subscriptions import Subscriptions

NAME, OTHER = "btcusdt@trade", "ethusdt@trade"


class Carrier:
    """A connection that has both, acknowledged at 0, and brings those that are live."""

    def __init__(self, name: str, *live: str) -> None:
        self.name = name
        self.subscriptions = Subscriptions()
        self.subscriptions.wanted = {NAME, OTHER}
        self.subscriptions.acknowledged = {NAME: 0.0, OTHER: 0.0}
        self.subscriptions.live |= set(live)
        self.done: list[object] = []

    def audit(self) -> None:
        self.done.append("audit")

    def renew(self, names: set[str]) -> None:
        self.done.append(names)
        for name in names:
            self.subscriptions.acknowledged.pop(name, None)


class Rig:
    def __init__(self) -> None:
        self.lame = Carrier("a", OTHER)
        self.sound = Carrier("b", NAME, OTHER)
        self.speaks = {NAME, OTHER}
        self.onesided = OneSided()

    def looks(self, *seconds: int) -> "Rig":
        for now in seconds:
            self.onesided.look(now, [[self.lame, self.sound]], self.speaks.__contains__)
        return self


def test_what_one_connection_never_brings_is_listed_then_subscribed_again_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    rig = Rig().looks(*range(17))
    assert rig.lame.done == ["audit", {NAME}]
    assert rig.sound.done == []
    assert rig.onesided.count == 1
    (record,) = caplog.records
    assert (record.__dict__["feed"], record.__dict__["streams"]) == ("a", NAME)


def test_it_ends_with_its_first_event() -> None:
    rig = Rig().looks(*range(17))
    rig.lame.subscriptions.live.add(NAME)
    assert rig.looks(18).onesided.count == 0
    rig.looks(*range(19, 400))
    assert len(rig.lame.done) == 2


def test_it_is_tried_again_only_after_a_rest() -> None:
    rig = Rig().looks(*range(200))
    assert rig.lame.done == ["audit", {NAME}]
    rig.looks(*range(200, 300))
    assert rig.lame.done == ["audit", {NAME}] * 2


def test_a_stream_that_nobody_brings_is_not_one_sided() -> None:
    rig = Rig()
    rig.speaks.discard(NAME)
    assert rig.looks(*range(60)).onesided.count == 0


def test_a_stream_that_is_left_or_new_is_not_one_sided() -> None:
    rig = Rig().looks(*range(12))
    rig.lame.subscriptions.acknowledged[NAME] = 12.0
    rig.lame.subscriptions.wanted = {OTHER}
    assert rig.looks(13).onesided.count == 0
    rig.lame.subscriptions.wanted = {NAME, OTHER}
    assert rig.looks(14).onesided.count == 0


def test_a_connection_that_is_alone_has_nobody_to_compare_with() -> None:
    onesided, alone = OneSided(), Carrier("a")
    for now in range(60):
        onesided.look(now, [[alone]], lambda _name: True)
    assert onesided.count == 0
