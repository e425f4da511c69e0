"""Which secret a publisher shows the broker."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from device_sim.rotation import KeptSecrets, KeyRing


def test_a_new_secret_is_tried_first_and_the_old_one_after_a_refusal() -> None:
    ring = KeyRing(["old"])
    assert ring.attempt() == "old"
    ring.worked()
    ring.take("new")
    assert [ring.attempt() for _ in range(3)] == ["new", "old", "new"]


def test_what_worked_is_tried_first() -> None:
    ring = KeyRing(["new", "old"])
    assert [ring.attempt(), ring.attempt()] == ["new", "old"]
    ring.worked()
    assert ring.attempt() == "old"


def test_it_is_on_the_disk_for_its_owner_alone_before_it_counts(tmp_path: Path) -> None:
    path = tmp_path / "rotated.json"
    KeptSecrets(path).ring("pump-1", "given").take("new")
    assert path.stat().st_mode & 0o777 == 0o600
    kept = KeptSecrets(path)
    assert kept.ring("pump-1", "given").secrets == ("new", "given")
    assert kept.ring("valve-1", "other").secrets == ("other",)
    assert kept.ring("pump-1", "by hand").secrets == ("new", "given", "by hand")


@given(st.lists(st.sampled_from(["attempt", "worked", "take"]), max_size=40))
def test_whatever_happens_every_secret_has_its_turn(events: list[str]) -> None:
    ring, number = KeyRing(["first"]), 0
    for event in events:
        if event == "take":
            number += 1
            ring.take(f"secret-{number}")
        elif event == "worked":
            ring.worked()
        else:
            assert ring.attempt() in ring.secrets
    tried = {ring.attempt() for _ in range(2 * len(ring.secrets))}
    assert tried == set(ring.secrets)
