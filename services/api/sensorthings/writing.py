"""Entities, sets and data arrays as SensorThings writes them, and the addresses in them.

Source: OGC 18-088, clauses 8.1 (control information), 9.2 (paths), 14 (data arrays).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote, urlencode

from services.api.sensorthings.entities import OBSERVATIONS
from services.api.sensorthings.model import EntitySet, Navigation, Row, Voice
from services.api.sensorthings.options import Options
from services.api.sensorthings.saying import observation_number

Document = dict[str, Any]
_PLAIN: Final = "$(),;/:@'"
_MOVING: Final = frozenset({"$skip", "$skiptoken"})


def id_of(entity_set: EntitySet, row: Row) -> int:
    if entity_set is OBSERVATIONS:
        return observation_number(row)
    found: int = row["id"]
    return found


def own_value(entity_set: EntitySet, row: Row, navigation: Navigation) -> int:
    """Of the column that the navigation starts from."""
    if navigation.own == "id":
        return id_of(entity_set, row)
    found: int = row[navigation.own]
    return found


def write_entity(
    entity_set: EntitySet, row: Row, options: Options, voice: Voice
) -> Document:
    """An entity without what is expanded in it."""
    address = voice.address(entity_set.name, id_of(entity_set, row))
    document: Document = {}
    if options.shows("id"):
        document["@iot.id"] = id_of(entity_set, row)
    if options.select is None:
        document["@iot.selfLink"] = address
    for one in entity_set.properties:
        if options.shows(one.name):
            value = one.say(row, voice)
            if value is not None:
                document[one.name] = value
    expanded = {expand.navigation.name for expand in options.expands}
    for link in entity_set.links:
        asked = options.select is not None and link.name in options.select
        if asked or (options.select is None and link.name not in expanded):
            document[f"{link.name}@iot.navigationLink"] = f"{address}/{link.name}"
    return document


def write_set(
    values: Sequence[Document], count: int | None, next_link: str | None
) -> Document:
    document: Document = {}
    if count is not None:
        document["@iot.count"] = count
    if next_link is not None:
        document["@iot.nextLink"] = next_link
    document["value"] = list(values)
    return document


def write_data_array(
    rows: Iterable[Row], options: Options, voice: Voice
) -> list[Document]:
    """By datastream, in the order of the rows: what each row has, in the order of `components`."""
    names = [one for one in OBSERVATIONS.properties if options.shows(one.name)]
    components = (["id"] if options.shows("id") else []) + [one.name for one in names]
    document = []
    for datastream_id, group in groupby(rows, lambda row: row["datastream_id"]):
        values = [
            [
                *([observation_number(row)] if options.shows("id") else []),
                *(one.say(row, voice) for one in names),
            ]
            for row in group
        ]
        address = voice.address("Datastreams", datastream_id)
        document.append(
            {
                "Datastream@iot.navigationLink": address,
                "components": components,
                "dataArray@iot.count": len(values),
                "dataArray": values,
            }
        )
    return document


def next_link(
    address: str, texts: Iterable[tuple[str, str]] | Mapping[str, str], token: str
) -> str:
    """The same question from another place on."""
    pairs = texts.items() if isinstance(texts, Mapping) else texts
    kept = [(name, text) for name, text in pairs if name not in _MOVING]
    query = urlencode([*kept, ("$skiptoken", token)], quote_via=quote, safe=_PLAIN)
    return f"{address}?{query}"


def page_mark(path: str, texts: Mapping[str, str]) -> str:
    """What must not change from page to page."""
    asked = [
        f"{name}={texts[name]}" for name in ("$filter", "$orderby") if name in texts
    ]
    return "&".join([path, *asked])
