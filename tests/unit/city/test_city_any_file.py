"""Whatever stands in a city file: it is read or its problems are told; nothing is raised."""

from collections.abc import Iterator
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.core.city.city_file import read_city
from services.core.city.datastreams import datastreams
from services.core.city.records import records_of
from tests.unit.city.small_city import changed

Path = tuple[str | int, ...]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 2**70)
    | st.floats()
    | st.sampled_from(
        [
            "",
            "tank",
            "north",
            "{n}",
            "{n:02}",
            "level",
            "5s",
            "1",
            "water",
            "measurement",
            "\x00",
            "й",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["key", "n", "within", "along", "from", "around", "type", "coordinates"]
            ),
            inner,
        )
    ),
    max_leaves=5,
)


def paths(node: Any, so_far: Path = ()) -> Iterator[Path]:
    yield so_far
    steps = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for step, inner in steps:
        yield from paths(inner, (*so_far, step))


PLACES = [path for path in paths(changed()) if len(path) > 1]
EXTRA = [
    "repeat",
    "place",
    "shape",
    "parts",
    "supplies",
    "feeds",
    "part_of",
    "codes",
    "external_ids",
    "channel_things",
]


def spoil(files: list[dict[str, Any]], path: Path, value: Any) -> None:
    inner: Any = files
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value


@settings(max_examples=400, deadline=None)
@given(path=st.sampled_from(PLACES), value=VALUES)
@example(path=(1, "features"), value=[{}])
@example(path=(1, "features", 0, "geometry", "coordinates"), value=[[]])
def test_any_value_anywhere(path: Path, value: Any) -> None:
    files = changed()
    spoil(files, path, value)
    reading = read_city(files)
    assert (reading.city is None) == bool(reading.problems)


@settings(max_examples=300, deadline=None)
@given(
    field=st.sampled_from(EXTRA), owner=st.sampled_from(["tank", "main"]), value=VALUES
)
@example(field="place", owner="tank", value={"along": "north", "from": "a"})
@example(field="place", owner="tank", value={"around": float("nan")})
@example(field="repeat", owner="tank", value={"n": 2})
def test_any_value_in_any_field_of_a_thing(field: str, owner: str, value: Any) -> None:
    files = changed()
    if field == "place":
        files[0]["things"][owner].pop("at", None)
        files[0]["things"][owner].pop("geometry", None)
    files[0]["things"][owner][field] = value
    reading = read_city(files)
    assert (reading.city is None) == bool(reading.problems)
    if reading.city is not None:
        assert records_of(reading.city)
        assert list(datastreams(reading.city))
