"""The generated JSON against Grafana's own npm packages: @grafana/schema's types, @grafana/data's ids."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from deploy.grafana.build import panels_of
from deploy.grafana.units import GRAFANA_UNIT
from deploy.native.node import Node
from tests.foreign_packages import npm_packages

pytestmark = pytest.mark.timeout(400)  # the first time its 138 packages are fetched

Documents = dict[str, dict[str, Any]]
PACKAGES = Path(__file__).parent / "packages"
# A panel's type, and where @grafana/schema has its options; a bar gauge has no settings of fields.
TYPES = {
    "timeseries": "TimeSeries",
    "stat": "Stat",
    "bargauge": "BarGauge",
    "table": "Table",
    "state-timeline": "StateTimeline",
}
WITHOUT_FIELD_SETTINGS = ("stat", "bargauge")
# JSON has no enums: what TypeScript wants as an enum stands there as its value.
HEAD = """\
import type { Dashboard } from '@grafana/schema';
type Json<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer Item)[] ? Json<Item>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
"""
INVALID = """
// @ts-expect-error a dashboard has no such member
export const unknown = { schemaVersion: 1, nonsense: 1 } satisfies Json<Dashboard>;
// @ts-expect-error a unit is text
export const wrong = { unit: 5 } satisfies Json<import('@grafana/schema').FieldConfig>;
"""


@pytest.fixture(scope="session")
def the_node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """With Grafana's packages beside this file."""
    return npm_packages(PACKAGES, tmp_path_factory.mktemp("node") / "log")


def run(found: Node, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(found.folder / "node"), *arguments],
        cwd=PACKAGES,
        env=dict(found.environment()),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def vocabulary(the_node: Node) -> dict[str, set[str]]:
    done = run(the_node, "vocabulary.cjs")
    assert done.returncode == 0, done.stderr
    return {name: set(known) for name, known in json.loads(done.stdout).items()}


def members(document: Any, name: str) -> Iterable[Any]:
    """Every value of the member, however deep."""
    if isinstance(document, dict):
        if name in document:
            yield document[name]
        for value in document.values():
            yield from members(value, name)
    elif isinstance(document, list):
        for value in document:
            yield from members(value, name)


def test_every_unit_is_one_of_grafanas(vocabulary: dict[str, set[str]]) -> None:
    own = {unit for unit in GRAFANA_UNIT.values() if not unit.startswith("suffix:")}
    assert own <= vocabulary["units"]
    assert not {"kmh", "lengthm3"} & vocabulary["units"]


def test_the_dashboards_use_no_other_words_than_grafanas(
    documents: Documents, vocabulary: dict[str, set[str]]
) -> None:
    used = list(documents.values())
    units = {unit for unit in members(used, "unit") if isinstance(unit, str)}
    assert {unit for unit in units if not unit.startswith("suffix:")} <= vocabulary[
        "units"
    ]
    assert {calc for calcs in members(used, "calcs") for calc in calcs} <= vocabulary[
        "reducers"
    ]
    modes = {color["mode"] for color in members(used, "color") if "mode" in color}
    assert modes <= vocabulary["colour_modes"]
    transformed = [step for steps in members(used, "transformations") for step in steps]
    assert {step["id"] for step in transformed} <= vocabulary["transformers"]


def typed_panel(name: str, panel: dict[str, Any]) -> str:
    """Its options and its fields' settings, each against its plugin's own type."""
    kind = TYPES[panel["type"]]
    module = f"@grafana/schema/dist/esm/raw/composable/{kind.lower()}/panelcfg/x/{kind}PanelCfg_types.gen"
    types = f"import('{module}')"
    options = json.dumps(panel["options"])
    lines = [
        f"export const {name}_o = {options} satisfies Partial<Json<{types}.Options>>;"
    ]
    custom = panel["fieldConfig"]["defaults"].get("custom")
    if custom is not None:
        assert panel["type"] not in WITHOUT_FIELD_SETTINGS
        lines.append(
            f"export const {name}_f = {json.dumps(custom)} satisfies Partial<Json<{types}.FieldConfig>>;"
        )
    return "\n".join(lines)


def without_queries(document: dict[str, Any]) -> dict[str, Any]:
    """An annotation's query has members of its data source, which this type leaves no room for."""
    annotations = [
        {**annotation, "target": {"refId": annotation["target"]["refId"]}}
        for annotation in document["annotations"].get("list", [])
    ]
    return {**document, "annotations": {"list": annotations}}


def test_the_dashboards_are_what_grafanas_types_say(
    documents: Documents, the_node: Node
) -> None:
    made = PACKAGES / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    for uid, document in documents.items():
        text = json.dumps(without_queries(document))
        whole = f"export const dashboard = {text} satisfies Json<Dashboard>;\n"
        panels = [
            typed_panel(f"p{panel['id']}", panel) for panel in panels_of(document)
        ]
        text = "\n".join([HEAD, whole, *panels])
        (made / f"{uid}.ts").write_text(text, encoding="utf-8")
    (made / "invalid.ts").write_text(HEAD + INVALID, encoding="utf-8")
    done = run(the_node, "node_modules/typescript/bin/tsc", "-p", ".")
    shutil.rmtree(made)
    assert done.returncode == 0, done.stdout[:5000]
