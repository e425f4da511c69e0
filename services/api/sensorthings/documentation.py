"""PURE: the OpenAPI description of SensorThings, made from the table of entity sets."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.api.failures import documented
from services.api.sensorthings.entities import ENTITY_SETS, OBSERVATIONS
from services.api.sensorthings.model import ROOT, EntitySet
from services.api.sensorthings.options import (
    LARGEST_PAGE,
    LARGEST_SKIP,
    PAGE,
    Options,
)

Document = dict[str, Any]
_REFERENCE: Final = "#/components/schemas/Sta"  # the operator API has things of its own


def _link(text: str, path: str) -> Document:
    return {
        "type": "string",
        "format": "uri",
        "description": text,
        "examples": [f"http://127.0.0.1:8620{ROOT}/{path}"],
    }


_SELF: Final = _link("The address of this entity.", "Things(1)")
_NEXT: Final = _link("The address of the next page.", "Things?$top=100&$skiptoken=…")
_COUNT: Final[Document] = {
    "type": "integer",
    "minimum": 0,
    "description": "How many there are on all pages.",
    "examples": [90],
}
_ERRORS: Final = documented(400, 404, 422, 429, 501, 503)
_NOT_MODIFIED: Final[dict[int | str, Any]] = {
    304: {"description": "You have it already."}
}
_EXAMPLES: Final = {
    "Things": "properties/domain eq 'environment'",
    "Locations": "properties/district eq 'gate'",
    "HistoricalLocations": "time gt 2026-01-01T00:00:00Z",
    "Datastreams": "ObservedProperty/properties/key eq 'pm2_5'",
    "Sensors": "startswith(name,'W')",
    "ObservedProperties": "properties/unit eq 'Cel'",
    "Observations": "Datastream/id eq 1 and phenomenonTime ge 2026-11-22T00:00:00Z",
    "FeaturesOfInterest": "contains(name,'Gate')",
}


_REFERENCES: Final[Document] = {
    "type": "object",
    "required": ["value"],
    "properties": {
        "@iot.count": _COUNT,
        "@iot.nextLink": _NEXT,
        "value": {
            "type": "array",
            "description": "This page.",
            "items": {
                "type": "object",
                "required": ["@iot.selfLink"],
                "properties": {"@iot.selfLink": _SELF},
            },
        },
    },
}
_SERVICE_ROOT: Final[Document] = {
    "type": "object",
    "required": ["value", "serverSettings"],
    "properties": {
        "value": {
            "type": "array",
            "description": "The entity sets.",
            "items": {
                "type": "object",
                "required": ["name", "url"],
                "properties": {"name": {"type": "string"}, "url": {"type": "string"}},
            },
        },
        "serverSettings": {
            "type": "object",
            "description": "conformance: the requirements of the standard that are met; licence: of all that is here.",
            "required": ["conformance"],
        },
    },
}


def schemas() -> dict[str, Document]:
    """By name, for the components of the description."""
    found = {"StaServiceRoot": _SERVICE_ROOT, "StaReferences": _REFERENCES}
    for entity_set in ENTITY_SETS.values():
        found[f"Sta{entity_set.singular}"] = entity_schema(entity_set)
        found[f"Sta{entity_set.name}"] = set_schema(entity_set)
    return found


def entity_schema(entity_set: EntitySet) -> Document:
    """Nothing is required: $select may leave anything out."""
    properties: Document = {
        "@iot.id": {
            "type": "integer",
            "description": "Its id, never reused.",
            "examples": [1],
        },
        "@iot.selfLink": _SELF,
    }
    for one in entity_set.properties:
        properties[one.name] = dict(one.schema)
    for link in entity_set.links:
        target = ENTITY_SETS[link.target]
        way = f"{entity_set.name}(1)/{link.name}"
        properties[f"{link.name}@iot.navigationLink"] = _link("The way to it.", way)
        properties[link.name] = {"$ref": _REFERENCE + target.singular}
        if link.many:
            properties |= _many(link.name, target)
    return {"type": "object", "properties": properties}


def _many(name: str, target: EntitySet) -> Document:
    """What $expand puts there."""
    return {
        name: {
            "type": "array",
            "description": "With $expand.",
            "items": {"$ref": _REFERENCE + target.singular},
        },
        f"{name}@iot.count": _COUNT,
        f"{name}@iot.nextLink": _NEXT,
    }


def set_schema(entity_set: EntitySet) -> Document:
    items: Document = {"$ref": _REFERENCE + entity_set.singular}
    if entity_set is OBSERVATIONS:
        items = {"anyOf": [items, {"type": "object", "required": ["dataArray"]}]}
    return {
        "type": "object",
        "required": ["value"],
        "properties": {
            "@iot.count": _COUNT,
            "@iot.nextLink": _NEXT,
            "value": {"type": "array", "description": "This page.", "items": items},
        },
    }


def answers(schema: Mapping[str, Any], *, empty: bool = False) -> dict[int | str, Any]:
    found: dict[int | str, Any] = {
        200: {
            "description": "As SensorThings 1.1 says.",
            "content": {"application/json": {"schema": schema}},
        },
        **_NOT_MODIFIED,
        **_ERRORS,
    }
    if empty:
        found[204] = {"description": "It has no value."}
    return found


def bare_answers() -> dict[int | str, Any]:
    found = answers({}, empty=True)
    texts = {"text/plain": {"schema": {"type": "string"}}, "application/json": {}}
    return {**found, 200: {"description": "The bare value.", "content": texts}}


def reference(name: str) -> Document:
    return {"$ref": _REFERENCE + name}


def parameters(entity_set: EntitySet, *, many: bool) -> list[Document]:
    """The query options of a set or of one entity."""
    return [
        *(_of_sets(entity_set) if many else ()),
        *_of_entities(entity_set),
        language(),
    ]


def language() -> Document:
    return _query(
        "lang",
        {"enum": ["kk", "ru", "en"], "default": Options().language},
        "The language of names.",
    )


def _of_sets(entity_set: EntitySet) -> Iterator[Document]:
    natural = {"type": "integer", "minimum": 0}
    yield _query(
        "$top",
        {**natural, "maximum": 999_999_999},
        f"How many a page has at most; {PAGE} when nothing is said, {LARGEST_PAGE} at most.",
    )
    yield _query(
        "$skip",
        {**natural, "maximum": LARGEST_SKIP},
        "How many to leave out; for long ways follow @iot.nextLink.",
    )
    yield _query("$count", {"enum": ["true", "false"]}, "With @iot.count.")
    columns = [
        name
        for name, column in entity_set.columns.items()
        if column.sortable and "@" not in name
    ]
    yield _query(
        "$orderby",
        {"type": "string", "examples": [f"{columns[0]} desc"]},
        f"Of {', '.join(columns)}, each with asc or desc.",
    )
    yield _query(
        "$filter",
        {"type": "string", "examples": [_EXAMPLES[entity_set.name]]},
        "Comparisons, and, or, not, functions; also of entities it leads to.",
    )
    if entity_set is OBSERVATIONS:
        yield _query("$resultFormat", {"enum": ["dataArray"]}, "Arrays by datastream.")


def _of_entities(entity_set: EntitySet) -> Iterator[Document]:
    links = [one.name for one in entity_set.links]
    names = ["id", *(one.name for one in entity_set.properties), *links]
    yield _query(
        "$select",
        {"type": "string", "examples": [",".join(names[:2])]},
        f"Only these: {', '.join(names)}.",
    )
    yield _query(
        "$expand",
        {"type": "string", "examples": [links[0]]},
        f"With these in it: {', '.join(links)}; each may have options in brackets.",
    )


def _query(name: str, schema: Document, text: str) -> Document:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": schema,
        "description": text,
    }


def path_id() -> Document:
    return {
        "name": "id",
        "in": "path",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1},
        "description": "An @iot.id.",
    }


def path_property(entity_set: EntitySet) -> Document:
    names = [one.name for one in entity_set.properties]
    return {
        "name": "property",
        "in": "path",
        "required": True,
        "schema": {"enum": names},
        "description": "The name of a property.",
    }
