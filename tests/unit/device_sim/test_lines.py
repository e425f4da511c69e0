"""What the command line takes for an item, and what it says of the rest."""

import json

import pytest

from device_sim import wire
from device_sim.client.lines import items_of

NOW_MS = 1_795_320_000_000


class Told:
    def __init__(self) -> None:
        self.facts: list[dict[str, object]] = []

    def __call__(self, _event: str, /, **facts: object) -> None:
        self.facts.append(facts)


def sent(line: str) -> dict[str, object]:
    """The message that it becomes."""
    [items] = items_of([line.encode()], NOW_MS, Told())
    message: dict[str, object] = json.loads(wire.data(items, 7, 1))
    return message


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("1795320000250", NOW_MS + 250),
        ('"2026-11-22T04:00:00.250Z"', NOW_MS + 250),
        ('"2026-11-22T09:00:00.2499+05:00"', NOW_MS + 250),
        ("null", NOW_MS),
    ],
)
def test_a_time_is_what_the_protocol_has(time: str, milliseconds: int) -> None:
    message = sent(f'{{"time": {time}, "values": {{"voltage": 1.5}}}}')
    expected = {"time": milliseconds, "values": {"voltage": 1.5}, "seq": 1, "epoch": 7}
    assert message == expected


def test_an_integer_is_sent_as_it_is() -> None:
    assert "9007199254740993}" in json.dumps(
        sent('{"values": {"n": 9007199254740993}}')
    )


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        '{"values": 5}',
        '{"time": "2026-11-22T04:00:00", "values": {}}',
        '{"time": "9999-12-31T23:59:59.9999Z", "values": {}}',
        '{"values": {"text": "%s"}}' % ("x" * 65_536),
        '{"values": {}, "more": ' + "[" * 20_000,
    ],
)  # fmt: skip
def test_what_is_no_item_is_said_and_costs_no_other(line: str) -> None:
    told = Told()
    items = items_of([line.encode(), b'{"values": {"n": 1}}\n'], NOW_MS, told)
    assert [[item.values] for [item] in items] == [[{"n": 1}]]
    [facts] = told.facts
    assert line.startswith(str(facts["line"]))
