"""The supervisor's decisions that need no process."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.native.child import fits_socket
from deploy.native.home import LONGEST_SOCKET_NAME, Home, Ports
from deploy.native.notices import Notices
from deploy.native.servers import without_user
from deploy.native.supervised import (
    EARN_SECONDS,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MOST_SPARE,
    Backoff,
)
from services.core.clock import UTC, ManualClock

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=UTC)


@given(st.integers(1, 40))
def test_what_cannot_live_is_restarted_ever_later_up_to_the_longest_pause(
    crashes: int,
) -> None:
    backoff = Backoff()
    pauses = [backoff.pause_after(0.0) for _ in range(crashes)]
    expected = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(crashes)]
    assert pauses == pytest.approx(expected)


@given(st.integers(0, 30), st.floats(EARN_SECONDS, 10 * EARN_SECONDS))
def test_a_life_of_some_seconds_makes_the_next_pause_short_again(
    crashes: int, lived: float
) -> None:
    backoff = Backoff()
    for _ in range(crashes):
        backoff.pause_after(0.0)
    assert backoff.pause_after(lived) == FIRST_PAUSE


def test_after_a_long_life_some_kills_in_a_row_are_mended_at_once_and_the_rest_later() -> (
    None
):
    backoff = Backoff()
    pauses = [backoff.pause_after(1e6), *(backoff.pause_after(0.0) for _ in range(8))]
    quick = int(MOST_SPARE)
    assert pauses[:quick] == [FIRST_PAUSE] * quick
    assert pauses[quick:] == [FIRST_PAUSE * 2 ** (n + 1) for n in range(9 - quick)]


def test_a_service_is_ready_when_it_says_so() -> None:
    notices = Notices(Path("unused"), ManualClock(NOON))
    notices.take("STATUS=loading the registry")
    assert (notices.ready.is_set(), notices.status) == (False, "loading the registry")
    notices.take("READY=1\nSTATUS=waits for messages\nMAINPID=12")
    assert (notices.ready.is_set(), notices.status) == (True, "waits for messages")


def test_only_a_service_that_gave_a_sign_of_life_can_fall_silent() -> None:
    clock = ManualClock(NOON)
    notices = Notices(Path("unused"), clock)
    clock.advance(3600)
    assert not notices.is_silent_for(30)
    notices.take("WATCHDOG=1")
    clock.advance(29)
    assert not notices.is_silent_for(30)
    clock.advance(2)
    assert notices.is_silent_for(30)


@given(st.integers(1024, 65_520))
def test_the_ports_of_an_installation_are_ten_in_a_row_and_differ(base: int) -> None:
    ports = Ports(base).named().values()
    assert len(set(ports)) == len(ports)
    assert all(base <= port < base + 10 for port in ports)


def test_a_long_home_gets_a_socket_folder_with_a_short_name(tmp_path: Path) -> None:
    near, far = Home(Path("/srv/a")), Home(tmp_path / ("long" * 30))
    assert near.sockets() == near.run
    folder = far.sockets()
    try:
        assert fits_socket(folder / LONGEST_SOCKET_NAME)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert far.sockets() == folder
        assert Home(tmp_path / ("long" * 31)).sockets() != folder
    finally:
        folder.rmdir()


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make_folders()
    secret = home.secrets.get("database-owner")
    assert home.secrets.get("database-owner") == secret
    assert home.secrets.get("database-reader") != secret
    assert home.secrets.path("database-owner").stat().st_mode & 0o777 == 0o600
    assert home.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mqtt://u:s@host:1883", "mqtt://host:1883"),
        ("mqtt://host:1883", "mqtt://host:1883"),
        ("", ""),
    ],
)
def test_a_devices_url_has_no_user(url: str, expected: str) -> None:
    assert without_user(url) == expected
