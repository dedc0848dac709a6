import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.commands import Reply, batches, list_subscriptions, subscribe, unsubscribe


def test_requests_are_binances_own() -> None:
    assert json.loads(subscribe(["a@trade"], 1)) == {"method": "SUBSCRIBE", "params": ["a@trade"], "id": 1}
    assert json.loads(unsubscribe(["a@trade"], 2)) == {"method": "UNSUBSCRIBE", "params": ["a@trade"], "id": 2}
    assert json.loads(list_subscriptions(3)) == {"method": "LIST_SUBSCRIPTIONS", "id": 3}


@given(st.lists(st.text(min_size=1, max_size=60), max_size=400))
def test_batches_lose_nothing_and_stay_small(names: list[str]) -> None:
    cut = list(batches(names))

    assert [name for batch in cut for name in batch] == names
    for batch in cut:
        assert 1 <= len(batch) <= 150
        assert len(subscribe(batch, 2**63)) < 4096


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ('{"result":null,"id":1}', None),
        ('{"result":["a@trade"],"id":1}', None),
        ('{"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":2}', "2: Invalid request: invalid stream"),
        ('{"error":{"code":3,"msg":"Invalid JSON"}}', "3: Invalid JSON"),
        ('{"code":0,"msg":"Unknown property"}', "0: Unknown property"),
    ],
)
def test_both_shapes_of_error_are_read(text: str, failure: str | None) -> None:
    assert msgspec.json.decode(text, type=Reply).failure == failure
