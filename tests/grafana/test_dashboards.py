"""The generated dashboards: languages, ids, layout, thresholds, codes; what is committed is what is generated."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import deploy.grafana
from deploy.grafana.apply import FOLDER_UID
from deploy.grafana.build import as_text, dashboards, panels_of
from deploy.grafana.build_panel import DATASOURCE_TYPE, DATASOURCE_UID
from deploy.grafana.datasource import json_data
from deploy.grafana.spec import Setting
from deploy.grafana.units import GRAFANA_UNIT
from deploy.native.roles import GRAFANA
from services.core.city.catalogue import Domain
from services.core.city.language import LANGUAGES, Language
from services.core.city.units import UNITS
from tests.dashboard_data import reference_city
from tests.grafana.questions import questions

Documents = dict[str, dict[str, Any]]
FOLDER = Path(deploy.grafana.__file__).parent


def panel(documents: Documents, uid: str, title: str) -> dict[str, Any]:
    return next(p for p in panels_of(documents[uid]) if p["title"] == title)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_asks_the_same_questions_for_its_own_names(
    language: Language, documents: Documents
) -> None:
    spoken = questions(dashboards(Setting(reference_city(), language)))
    assert [question.kind for question in spoken] == [
        question.kind for question in questions(documents)
    ]
    others = [f"->> '{other}'" for other in LANGUAGES if other != language]
    assert not [q for q in spoken if any(other in q.sql for other in others)]


def test_what_is_committed_is_what_the_reference_city_gives(
    documents: Documents,
) -> None:
    """To mend it: `alatau grafana render deploy/grafana/dashboards`."""
    folder = FOLDER / "dashboards"
    committed = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert committed == {f"{uid}.json": as_text(doc) for uid, doc in documents.items()}


def test_ids_are_stable_and_none_is_a_databases(documents: Documents) -> None:
    assert list(documents) == [
        "alatau-overview", "alatau-power", "alatau-water", "alatau-gas", "alatau-traffic",
        "alatau-alerts", "alatau-asset", "alatau-platform",
    ]  # fmt: skip
    for uid, document in documents.items():
        assert document["uid"] == uid
        assert "id" not in document
        assert document["timezone"] == "Asia/Almaty"
        numbers = [item["id"] for item in document["panels"]]
        numbers += [p["id"] for p in panels_of(document)]
        assert all(numbers)
        assert len({id(p) for p in panels_of(document)}) == len(
            {p["id"] for p in panels_of(document)}
        )


def test_no_two_panels_overlap(documents: Documents) -> None:
    for uid, document in documents.items():
        taken: set[tuple[int, int]] = set()
        for item in document["panels"]:
            place = item["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, f"{uid}: {item['title']}"
            assert place["x"] + place["w"] <= 24
            taken |= cells


def test_every_measurement_of_the_catalogue_has_a_chart(documents: Documents) -> None:
    sql = "".join(question.sql for question in questions(documents))
    missing = [
        key
        for key, entry in reference_city().catalogue.items()
        if f"property = '{key}'" not in sql
        and entry.kind != "bits"
        and entry.privacy != "household"
    ]
    assert not missing


def test_what_households_measure_is_asked_for_nowhere(documents: Documents) -> None:
    assert "household" not in "".join(map(as_text, documents.values()))


def test_thresholds_are_the_plausible_range(documents: Documents) -> None:
    chart = panel(documents, "alatau-water", "Water pressure: lowest")
    steps = chart["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [(step["value"], step["color"]) for step in steps] == [
        (None, "red"), (0, "green"), (16, "red"),
    ]  # fmt: skip
    assert chart["fieldConfig"]["defaults"]["unit"] == "pressurebar"


def test_codes_are_named_and_the_abnormal_ones_are_red(documents: Documents) -> None:
    timeline = panel(documents, "alatau-power", "Breaker position")
    [mapping] = timeline["fieldConfig"]["defaults"]["mappings"]
    shown = mapping["options"]
    assert [shown[value]["text"] for value in "0123"] == [
        "intermediate", "open", "closed", "bad",
    ]  # fmt: skip
    red = {value for value, result in shown.items() if result["color"] == "red"}
    assert red == {"0", "3"}


def test_every_unit_of_the_platform_has_one_of_grafana() -> None:
    assert not UNITS.keys() - GRAFANA_UNIT.keys()


def test_a_city_without_gas_has_no_gas_to_show() -> None:
    city = reference_city()
    kept = {
        key: entry
        for key, entry in city.catalogue.items()
        if entry.domain is not Domain.GAS
    }
    made = dashboards(Setting(replace(city, catalogue=kept), "en"))
    assert "property = 'gas" not in "".join(q.sql for q in questions(made))
    assert "alatau-gas" not in made
    assert made["alatau-overview"]


def test_provisioning_names_what_the_dashboards_name() -> None:
    read = FOLDER / "provisioning"
    sources = yaml.safe_load((read / "datasources/alatau.yaml").read_text("utf-8"))
    [source] = sources["datasources"]
    assert source["uid"] == DATASOURCE_UID
    assert source["type"] == DATASOURCE_TYPE
    assert source["user"] == GRAFANA
    assert source["jsonData"] == json_data("alatau", "disable")
    assert "$__file{" in source["secureJsonData"]["password"]
    providers = yaml.safe_load((read / "dashboards/alatau.yaml").read_text("utf-8"))
    [provider] = providers["providers"]
    assert provider["folderUid"] == FOLDER_UID
