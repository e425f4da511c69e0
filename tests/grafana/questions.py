"""Every question the generated dashboards ask the database: panels, annotations and variables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from deploy.grafana.build import panels_of
from tests.grafana.macros import EVERY, Chosen, Viewed, expand

ONE_ASSET = {"asset": "arna-10-feeder-03", "datastream": "arna-10-feeder-03.current_l1"}


@dataclass(frozen=True)
class Question:
    """kind: a panel's type, annotation or variable."""

    board: str
    title: str
    kind: str
    sql: str
    defined: tuple[str, ...]
    since: str = "6h"

    @override
    def __str__(self) -> str:
        return f"{self.board} / {self.title} ({self.kind})"

    def expanded(self, viewed: Viewed, chosen: Mapping[str, Chosen]) -> str:
        """With every variable the dashboard has; All where nothing is chosen."""
        everything: dict[str, Chosen] = {**ONE_ASSET, **chosen}
        values = {name: everything.get(name, EVERY) for name in self.defined}
        return expand(self.sql, viewed, values)


def questions(documents: Mapping[str, dict[str, Any]]) -> list[Question]:
    return [
        Question(uid, title, kind, sql, _variables(document), _since(document))
        for uid, document in documents.items()
        for title, kind, sql in _asked(document)
    ]


def _asked(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for panel in panels_of(document):
        for target in panel["targets"]:
            yield panel["title"], panel["type"], target["rawSql"]
    for annotation in document["annotations"].get("list", []):
        if "target" in annotation:
            yield annotation["name"], "annotation", annotation["target"]["rawSql"]
    for variable in document["templating"].get("list", []):
        yield variable["name"], "variable", variable["query"]


def _variables(document: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        variable["name"] for variable in document["templating"].get("list", [])
    )


def _since(document: dict[str, Any]) -> str:
    begin: str = document["time"]["from"]
    return begin.removeprefix("now-")
