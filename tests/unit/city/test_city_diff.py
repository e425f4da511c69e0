"""The difference between a city file and a registry."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.city.diff import Action, Known, Registry, compare, refusals
from services.core.city.records import Record, Records, Section, records_of
from tests.unit.city.small_city import small_city

RECORDS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.fixed_dictionaries({"x": st.integers(0, 2), "y": st.integers(0, 2)}),
)


def registry_of(records: Records, retired: frozenset[str] = frozenset()) -> Registry:
    return {
        section: {
            key: Known(record, key in retired)
            for key, record in records[section].items()
        }
        for section in Section
    }


def only(section: Section, records: dict[str, Record]) -> Records:
    return {each: records if each is section else {} for each in Section}


def test_a_city_does_not_differ_from_itself() -> None:
    records = records_of(small_city())
    diff = compare(records, registry_of(records), retire=True)
    assert not diff.changes
    assert not diff.writes
    assert diff.counts()["thing"]["unchanged"] == 2


def test_an_empty_registry_gets_everything() -> None:
    records = records_of(small_city())
    diff = compare(
        records, registry_of({section: {} for section in Section}), retire=False
    )
    assert {change.action for change in diff.changes} == {Action.CREATED}
    assert len(diff.changes) == sum(len(records[section]) for section in Section)


@given(RECORDS, RECORDS, st.frozensets(st.sampled_from("abcdef")), st.booleans())
def test_after_a_diff_is_applied_there_is_none(
    wanted: dict[str, Record],
    found: dict[str, Record],
    retired: frozenset[str],
    retire: bool,
) -> None:
    known = registry_of(only(Section.THING, found), retired)
    diff = compare(only(Section.THING, wanted), known, retire=retire)
    after = {key: known[Section.THING][key] for key in found}
    for change in diff.changes:
        if change.action is Action.RETIRED:
            after[change.key] = Known(found[change.key], retired=True)
        elif change.action is not Action.VANISHED:
            assert change.new is not None
            after[change.key] = Known({**found.get(change.key, {}), **change.new})
    again = compare(
        only(Section.THING, wanted),
        {section: after if section is Section.THING else {} for section in Section},
        retire=retire,
    )
    assert not again.writes
    assert {key for key, entry in after.items() if not entry.retired} >= wanted.keys()


@given(RECORDS, RECORDS, st.frozensets(st.sampled_from("abcdef")))
def test_every_key_is_counted_once(
    wanted: dict[str, Record], found: dict[str, Record], retired: frozenset[str]
) -> None:
    diff = compare(
        only(Section.THING, wanted),
        registry_of(only(Section.THING, found), retired),
        retire=False,
    )
    counts = diff.counts()["thing"]
    live_and_not_wanted = found.keys() - wanted.keys() - retired
    assert sum(counts.values()) == len(wanted) + len(live_and_not_wanted)


def test_a_change_names_only_what_differs() -> None:
    def taller(file: dict[str, Any]) -> None:
        file["catalogue"]["level"]["hard"] = [0, 12]

    diff = compare(
        records_of(small_city(taller)),
        registry_of(records_of(small_city())),
        retire=False,
    )
    (change,) = diff.changes
    assert change.as_dict() == {
        "entity": "observed_property",
        "key": "level",
        "action": "changed",
        "old": {"hard_max": 10},
        "new": {"hard_max": 12},
    }


@pytest.mark.parametrize(
    "definition",
    [
        "flow",
        {"property": "flow", "unit": "L/min"},
        {"property": "level", "unit": "cm"},
        {
            "property": "flow",
            "unit": "L/s",
            "sampling": "period_end",
            "sampling_period": "5s",
        },
    ],
)
def test_a_channel_that_means_something_else_replaces_its_datastreams(
    definition: Any,
) -> None:
    def redefine(file: dict[str, Any]) -> None:
        file["device_types"]["logger"]["channels"]["flow"] = definition

    diff = compare(
        records_of(small_city(redefine)),
        registry_of(records_of(small_city())),
        retire=False,
    )
    assert diff.keys(Section.CHANNEL, *Action) == ["logger.flow"]
    assert diff.keys(Section.CHANNEL, Action.REPLACED) == ["logger.flow"]
    assert diff.keys(Section.DATASTREAM, Action.REPLACED) == ["tank.flow"]


def test_another_device_of_another_type_leaves_the_datastreams_meaning() -> None:
    """One sends flow in L/s, the other in m3/h: inside it is the same quantity."""

    def exchange(file: dict[str, Any]) -> None:
        file["things"]["tank"]["devices"] = {"new": {"type": "station"}}

    diff = compare(
        records_of(small_city(exchange)),
        registry_of(records_of(small_city())),
        retire=True,
    )
    assert diff.keys(Section.DATASTREAM, Action.CHANGED) == ["tank.level", "tank.flow"]
    assert diff.keys(Section.DATASTREAM, Action.CREATED) == ["tank.pump"]
    assert diff.keys(Section.DEVICE, Action.RETIRED) == ["tank-logger"]


def test_codes_may_be_added_and_renamed_but_keep_their_meaning() -> None:
    def add(file: dict[str, Any]) -> None:
        codes = file["catalogue"]["pump"]["codes"]
        codes[0]["name"] = {"kk": "1", "ru": "2", "en": "3"}
        codes.append({"value": 7, "key": "tripped", "name": codes[0]["name"]})

    def swap(file: dict[str, Any]) -> None:
        codes = file["catalogue"]["pump"]["codes"]
        codes[0]["value"], codes[1]["value"] = 1, 0

    before = registry_of(records_of(small_city()))
    assert refusals(records_of(small_city(add)), before) == []
    assert len(refusals(records_of(small_city(swap)), before)) == 2
