"""PURE: THE TABLE: the entity sets of SensorThings 1.1; what is shown, asked, ordered, expanded all comes from here.

Source: OGC 18-088, clause 8.2 (the sensing entities).
"""

from types import MappingProxyType
from typing import Any, Final

from services.api.sensorthings import saying
from services.api.sensorthings.model import (
    Column,
    EntitySet,
    Kind,
    Navigation,
    Property,
    Schema,
)

_LANGUAGES: Final = ("kk", "ru", "en")


def _described(kind: str, text: str, example: Any) -> Schema:
    return {"type": kind, "description": text, "examples": [example]}


def _plain(name: str, say: Any, schema: Schema, sql: str | None = None) -> Property:
    """A text; sql: the same text in SQL, where it may be asked for."""
    return Property(name, say, schema, {"": Column(sql, Kind.TEXT)} if sql else {})


def _below(*names: str) -> dict[str, Column]:
    """Texts of `properties`, which have the names of their columns."""
    columns = {name: Column(f"{{e}}.{name}", Kind.TEXT) for name in names}
    return columns | {
        f"names/{language}": Column(f"({{e}}.name->>'{language}')", Kind.TEXT)
        for language in _LANGUAGES
    }


def _to(name: str, target: str, own: str, theirs: str = "id") -> Navigation:
    return Navigation(name, target, many=False, own=own, theirs=theirs)


def _to_many(name: str, target: str, own: str, theirs: str) -> Navigation:
    return Navigation(name, target, many=True, own=own, theirs=theirs)


def _hidden(name: str, target: str, own: str) -> Navigation:
    return Navigation(name, target, many=False, own=own, theirs="id", hidden=True)


_ABOUT: Final = _described("string", "More about it.", "Air station, Gate district")
_CALLED: Final = _described("string", "Its name in one language.", "Arna substation")
_MORE: Final = _described("object", "Its key, its names, and more.", {"key": "arna"})
_NAME: Final = _plain("name", saying.name, _CALLED, "({e}.name->>{lang})")
_DESCRIPTION: Final = _plain(
    "description", saying.description, _ABOUT, "({e}.description->>{lang})"
)
_GEOJSON: Final = _plain(
    "encodingType",
    lambda *_: saying.GEOJSON,
    _described("string", "Media type of the geometry.", saying.GEOJSON),
)
_SPAN: Final = _described(
    "string",
    "From the first to the newest observation.",
    "2026-11-01T00:00:00.000Z/2026-11-22T04:00:00.000Z",
)
_KNOWN_SINCE: Final = Column(
    f"coalesce({{e}}.known_since, '{saying.BEGINNING.isoformat()}'::timestamptz)",
    Kind.TIME,
)
_PLACE_COLUMNS: Final = _below(
    "key", "kind", "domain", "district", "status", "precision"
)
_LOCATION_COLUMNS: Final = _below("key", "district", "precision")


def _geometry(name: str) -> Property:
    schema = _described(
        "object",
        "GeoJSON, WGS 84; of a protected site its district's.",
        {"type": "Point", "coordinates": [77.0712, 43.6711]},
    )
    return Property(name, lambda row, _: row["geometry"], schema)


THINGS: Final = EntitySet(
    "Things",
    "Thing",
    "sta_places",
    (
        _NAME,
        _DESCRIPTION,
        Property("properties", saying.place_properties, _MORE, _PLACE_COLUMNS),
    ),
    (
        _to_many("Datastreams", "Datastreams", "id", "thing_id"),
        _to_many("Locations", "Locations", "id", "id"),
        _to_many("HistoricalLocations", "HistoricalLocations", "id", "id"),
    ),
)
LOCATIONS: Final = EntitySet(
    "Locations",
    "Location",
    "sta_places",
    (
        _NAME,
        _DESCRIPTION,
        _GEOJSON,
        _geometry("location"),
        Property("properties", saying.location_properties, _MORE, _LOCATION_COLUMNS),
    ),
    (
        _to_many("Things", "Things", "id", "id"),
        _to_many("HistoricalLocations", "HistoricalLocations", "id", "id"),
    ),
)
HISTORICAL_LOCATIONS: Final = EntitySet(
    "HistoricalLocations",
    "HistoricalLocation",
    "sta_places",
    (
        Property(
            "time",
            saying.known_since,
            _described(
                "string",
                "Since when it is known to be there.",
                "2026-11-01T00:00:00.000Z",
            ),
            {"": _KNOWN_SINCE},
        ),
    ),
    (_to("Thing", "Things", "id"), _to_many("Locations", "Locations", "id", "id")),
)
DATASTREAMS: Final = EntitySet(
    "Datastreams",
    "Datastream",
    "sta_datastreams",
    (
        _NAME,
        _plain(
            "description",
            saying.property_name,
            _ABOUT,
            "({e}.property_name->>{lang})",
        ),
        _plain(
            "observationType",
            saying.observation_type,
            _described(
                "string",
                "What a result is: a number, a category, or anything.",
                "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            ),
        ),
        Property(
            "unitOfMeasurement",
            saying.unit_of_measurement,
            _described(
                "object",
                "Name, UCUM code and definition of the unit.",
                {"name": "hertz", "symbol": "Hz"},
            ),
            {
                "symbol": Column(
                    "CASE WHEN {e}.kind IN ('measurement', 'counter') THEN {e}.unit ELSE '' END",
                    Kind.TEXT,
                )
            },
        ),
        Property(
            "observedArea",
            saying.observed_area,
            _described(
                "object",
                "GeoJSON envelope of what is observed.",
                {"type": "Point", "coordinates": [77.0712, 43.6711]},
            ),
        ),
        Property("phenomenonTime", saying.datastream_time, _SPAN),
        Property("resultTime", saying.datastream_result_time, _SPAN),
        Property(
            "properties",
            saying.datastream_properties,
            _MORE,
            _below("key", "kind", "sampling")
            | {
                "period_seconds": Column(
                    "({e}.period_ms / 1000.0)::float8", Kind.NUMBER
                ),
                "sampling_seconds": Column(
                    "({e}.sampling_ms / 1000.0)::float8", Kind.NUMBER
                ),
            },
        ),
    ),
    (
        _to("Thing", "Things", "thing_id"),
        _to("Sensor", "Sensors", "sensor_id"),
        _to("ObservedProperty", "ObservedProperties", "observed_property_id"),
        _to_many("Observations", "Observations", "id", "datastream_id"),
        _hidden("FeatureOfInterest", "FeaturesOfInterest", "thing_id"),
    ),
)
SENSORS: Final = EntitySet(
    "Sensors",
    "Sensor",
    "sta_sensors",
    (
        _NAME,
        _plain("description", saying.name, _ABOUT, "({e}.name->>{lang})"),
        _plain(
            "encodingType",
            saying.sensor_encoding,
            _described("string", "Media type of the metadata.", "text/plain"),
        ),
        _plain(
            "metadata",
            saying.sensor_metadata,
            _described("string", "Its data sheet, or what is known.", "weather_sensor"),
        ),
        Property(
            "properties",
            saying.sensor_properties,
            _MORE,
            _below("key", "manufacturer", "model"),
        ),
    ),
    (_to_many("Datastreams", "Datastreams", "id", "sensor_id"),),
)
OBSERVED_PROPERTIES: Final = EntitySet(
    "ObservedProperties",
    "ObservedProperty",
    "sta_observed_properties",
    (
        _NAME,
        _plain(
            "definition",
            saying.definition,
            _described(
                "string",
                "URI of the concept.",
                "http://qudt.org/vocab/quantitykind/Pressure",
            ),
            "coalesce({e}.definition, {base} || '/ObservedProperties(' || {e}.id || ')')",
        ),
        _plain("description", saying.concept_description, _ABOUT),
        Property(
            "properties",
            saying.concept_properties,
            _MORE,
            _below("key", "domain", "kind", "unit"),
        ),
    ),
    (_to_many("Datastreams", "Datastreams", "id", "observed_property_id"),),
)
# Observations are no table: {e} is a value of observation_store's, and `result` is a number or, of a state, a text.
OBSERVATIONS: Final = EntitySet(
    "Observations",
    "Observation",
    "",
    (
        Property(
            "phenomenonTime",
            saying.phenomenon_time,
            _described(
                "string",
                "When it was true: an instant, or the period sampled.",
                "2026-11-22T04:00:00.000Z",
            ),
            {"": Column("{e}.begins", Kind.TIME)},
        ),
        Property(
            "resultTime",
            saying.result_time,
            _described(
                "string",
                "When the instrument had its result.",
                "2026-11-22T04:00:00.000Z",
            ),
            {"": Column("{e}.ends", Kind.TIME)},
        ),
        Property(
            "result",
            saying.result,
            {
                "anyOf": [{"type": "number"}, {"type": "string"}],
                "description": "A number; of a state its code.",
                "examples": [12.4],
            },
            {
                "": Column(
                    "CASE WHEN {e}.kind <> 'state' THEN {e}.result END",
                    Kind.NUMBER,
                    sortable=False,
                ),
                "$text": Column("{e}.word", Kind.TEXT, sortable=False),
            },
        ),
        Property(
            "resultQuality",
            saying.result_quality,
            {
                "enum": ["good", "unknown", "suspect", "fail", "missing"],
                "description": "QARTOD: the worse of what the instrument and our checks say.",
                "examples": ["good"],
            },
            {
                "": Column(
                    "CASE greatest({e}.quality & 15, {e}.quality >> 4) WHEN 1 THEN 'good' WHEN 2 THEN 'unknown' "
                    "WHEN 3 THEN 'suspect' WHEN 4 THEN 'fail' ELSE 'missing' END",
                    Kind.TEXT,
                    sortable=False,
                )
            },
        ),
        Property(
            "parameters",
            saying.parameters,
            _described(
                "object", "Of bits the codes that are set.", {"codes": ["door"]}
            ),
        ),
    ),
    (
        _to("Datastream", "Datastreams", "datastream_id"),
        _to("FeatureOfInterest", "FeaturesOfInterest", "thing_id"),
    ),
)
FEATURES_OF_INTEREST: Final = EntitySet(
    "FeaturesOfInterest",
    "FeatureOfInterest",
    "sta_places",
    (
        _NAME,
        _DESCRIPTION,
        _GEOJSON,
        _geometry("feature"),
        Property("properties", saying.location_properties, _MORE, _LOCATION_COLUMNS),
    ),
    (_to_many("Observations", "Observations", "id", "thing_id"),),
)
ENTITY_SETS: Final = MappingProxyType(
    {
        one.name: one
        for one in (
            THINGS,
            LOCATIONS,
            HISTORICAL_LOCATIONS,
            DATASTREAMS,
            SENSORS,
            OBSERVED_PROPERTIES,
            OBSERVATIONS,
            FEATURES_OF_INTEREST,
        )
    }
)
