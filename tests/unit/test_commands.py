"""What a command's arguments may be, and how commands are called on the wire."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.broker.messages import command_id, command_number
from services.core.storage.commands import (
    BadCommandError,
    CommandName,
    NewCommand,
    NoSecretToRotateError,
)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        (CommandName.REPLAY, {"epoch": 1, "from": 5, "to": 5}),
        (CommandName.REBIRTH, {}),
        (CommandName.CONFIGURE, {"period_ms": 500, "name": "a", "on": True, "k": 1.5}),
    ],
)
def test_what_may_be_asked(name: CommandName, args: dict[str, Any]) -> None:
    assert NewCommand("d", name, args).args == args


@pytest.mark.parametrize(
    ("name", "args"),
    [
        (CommandName.REPLAY, {"epoch": 1, "from": 5}),
        (CommandName.REPLAY, {"epoch": 1, "from": 6, "to": 5}),
        (CommandName.REPLAY, {"epoch": 1, "from": -1, "to": 5}),
        (CommandName.REPLAY, {"epoch": 1, "from": 1, "to": 1 << 54}),
        (CommandName.REPLAY, {"epoch": 1, "from": 1.0, "to": 5}),
        (CommandName.REPLAY, {"epoch": True, "from": 1, "to": 5}),
        (CommandName.REPLAY, {"epoch": 1, "from": 1, "to": 5, "x": 1}),
        (CommandName.REBIRTH, {"x": 1}),
        (CommandName.CONFIGURE, {}),
        (CommandName.CONFIGURE, {"x": [1]}),
        (CommandName.CONFIGURE, {"x": float("nan")}),
        (CommandName.CONFIGURE, {"x": "a" * 1001}),
        (CommandName.CONFIGURE, {str(n): n for n in range(101)}),
        (CommandName.CONFIGURE, {"x": (1 << 53) + 1}),
        (CommandName.CONFIGURE, {f"{n:0500}": "a" * 500 for n in range(16)}),
    ],
)
def test_what_may_not_be_asked(name: CommandName, args: dict[str, Any]) -> None:
    with pytest.raises(BadCommandError):
        NewCommand("d", name, args)


@pytest.mark.parametrize("sealed", [None, {}, {"secrets": "x"}])
def test_a_new_secret_is_not_asked_for_by_a_plain_command(
    sealed: dict[str, str] | None,
) -> None:
    with pytest.raises(NoSecretToRotateError) as refused:
        NewCommand("d", CommandName.ROTATE, {"secret": "in the open"}, sealed=sealed)
    assert "alatau devices rotate" in refused.value.remedy


@pytest.mark.parametrize("seconds", [0, 36 * 86_400])
def test_a_command_has_an_end(seconds: int) -> None:
    with pytest.raises(BadCommandError):
        NewCommand("d", CommandName.REBIRTH, expires_in=dt.timedelta(seconds=seconds))


@given(st.integers(1, (1 << 63) - 1))
def test_an_id_is_read_as_it_was_written(number: int) -> None:
    assert command_number(command_id(number)) == number


@given(
    st.text(max_size=25)
    | st.sampled_from(
        ["c-0", "c-01", "c-", "C-1", "c-1 ", "c-१", "c-9223372036854775808"]
    )
)
def test_no_other_text_is_an_id(text: str) -> None:
    number = command_number(text)
    assert number is None or command_id(number) == text
