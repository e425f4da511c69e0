"""PURE: columns of the published city as the values SensorThings gives them."""

import datetime as dt
from typing import Any, Final

from services.api.language import in_language
from services.api.moments import say_moment
from services.api.sensorthings.model import Row, Voice
from services.api.sensorthings.units import NO_UNIT, say_unit
from services.api.series.model import QUALITY_WORDS, before_ms, code_keys
from services.api.series.saying import say_codes
from services.core.city.catalogue import Kind
from services.core.city.ids import observation_id
from services.core.clock import to_milliseconds

GEOJSON: Final = "application/geo+json"
_OM: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
# Things that were there before the register was audited are shown as known from the beginning of observations' ids.
BEGINNING: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)


def name(row: Row, voice: Voice) -> Any:
    return in_language(row["name"], voice.language)


def description(row: Row, voice: Voice) -> Any:
    return in_language(row["description"], voice.language)


def place_properties(row: Row, _voice: Voice) -> dict[str, Any]:
    return {
        "key": row["key"],
        "kind": row["kind"],
        "domain": row["domain"],
        "district": row["district"],
        "status": row["status"],
        "precision": row["precision"],
        "names": in_language(row["name"], None),
    }


def location_properties(row: Row, _voice: Voice) -> dict[str, Any]:
    return {
        "key": row["key"],
        "district": row["district"],
        "precision": row["precision"],
        "names": in_language(row["name"], None),
    }


def known_since(row: Row, _voice: Voice) -> str:
    return say_moment(row["known_since"] or BEGINNING)


def property_name(row: Row, voice: Voice) -> Any:
    return in_language(row["property_name"], voice.language)


def observation_type(row: Row, _voice: Voice) -> str:
    """A counter is counted only where its unit is one; what has codes is a category, or with bits several at once."""
    match Kind(row["kind"]):
        case Kind.STATE:
            return f"{_OM}CategoryObservation"
        case Kind.BITS:
            return f"{_OM}Observation"
        case Kind.COUNTER | Kind.MEASUREMENT:
            return f"{_OM}Measurement"


def unit_of_measurement(row: Row, _voice: Voice) -> Any:
    return say_unit(row["unit"]) if _has_unit(row) else NO_UNIT


def _has_unit(row: Row) -> bool:
    return row["kind"] in {Kind.MEASUREMENT, Kind.COUNTER}


def datastream_properties(row: Row, _voice: Voice) -> dict[str, Any]:
    said = {
        "key": row["key"],
        "kind": row["kind"],
        "period_seconds": row["period_ms"] / 1000,
        "sampling": row["sampling"],
        "sampling_seconds": row["sampling_ms"] / 1000,
        "aggregations": row["aggregations"],
        "names": in_language(row["name"], None),
    }
    if row["codes"]:
        said["codes"] = say_codes(row["codes"], None)
    return said


def observed_area(row: Row, _voice: Voice) -> dict[str, Any]:
    """The geometry's envelope; of a point the point itself."""
    geometry = row["geometry"]
    if geometry["type"] == "Point":
        return dict(geometry)
    flat = list(_positions(geometry["coordinates"]))
    west, east = min(x for x, _ in flat), max(x for x, _ in flat)
    south, north = min(y for _, y in flat), max(y for _, y in flat)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _positions(coordinates: Any) -> Any:
    if isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
        return
    for part in coordinates:
        yield from _positions(part)


def datastream_time(row: Row, _voice: Voice) -> str | None:
    """From the first to the newest observation; nothing before there is one."""
    if row["newest"] is None:
        return None
    begin = (row["oldest"] or row["newest"]) - _before(row)
    return f"{say_moment(begin)}/{say_moment(row['newest'] + _after(row))}"


def datastream_result_time(row: Row, _voice: Voice) -> str | None:
    if row["newest"] is None:
        return None
    begin, end = row["oldest"] or row["newest"], row["newest"]
    return f"{say_moment(begin + _after(row))}/{say_moment(end + _after(row))}"


def after_ms(row: Row) -> int:
    """How long after its time stamp an observation's period ends."""
    sampled: int = row["sampling_ms"]
    return sampled if row["sampling"] == "period_start" else 0


def _before(row: Row) -> dt.timedelta:
    return before_ms(row) * _MILLISECOND


def _after(row: Row) -> dt.timedelta:
    return after_ms(row) * _MILLISECOND


def sensor_encoding(row: Row, _voice: Voice) -> str:
    if not row["datasheet"]:
        return "text/plain"
    return (
        "application/pdf" if row["datasheet"].lower().endswith(".pdf") else "text/html"
    )


def sensor_metadata(row: Row, _voice: Voice) -> str:
    """Its data sheet's address, else whose it is and which, else its key."""
    maker = " ".join(word for word in (row["manufacturer"], row["model"]) if word)
    return row["datasheet"] or maker or row["key"]


def sensor_properties(row: Row, _voice: Voice) -> dict[str, Any]:
    said = {"key": row["key"], "names": in_language(row["name"], None)}
    more = {word: row[word] for word in ("manufacturer", "model") if row[word]}
    return {**said, **more}


def definition(row: Row, voice: Voice) -> str:
    """The concept's URI; without one, our own entity's address is as good a name as any."""
    return row["definition"] or voice.address("ObservedProperties", row["id"])


def concept_description(row: Row, voice: Voice) -> str:
    said = in_language(row["name"], voice.language)
    return f"{said}, {row['unit']}" if _has_unit(row) else str(said)


def concept_properties(row: Row, _voice: Voice) -> dict[str, Any]:
    said = {
        "key": row["key"],
        "domain": row["domain"],
        "kind": row["kind"],
        "unit": row["unit"],
        "aggregations": row["aggregations"],
        "names": in_language(row["name"], None),
    }
    if row["codes"]:
        said["codes"] = say_codes(row["codes"], None)
    return said


def observation_number(row: Row) -> int:
    return observation_id(row["datastream_id"], to_milliseconds(row["phenomenon_time"]))


def phenomenon_time(row: Row, _voice: Voice) -> str:
    """An instant, or the period that was sampled."""
    begin, end = row["phenomenon_time"] - _before(row), row["phenomenon_time"]
    if begin == end + _after(row):
        return say_moment(end)
    return f"{say_moment(begin)}/{say_moment(end + _after(row))}"


def result_time(row: Row, _voice: Voice) -> str:
    """When the instrument had its result: at the end of what it sampled."""
    return say_moment(row["phenomenon_time"] + _after(row))


def result(row: Row, _voice: Voice) -> Any:
    """A number; of a state its code's key, or the number where the catalogue has no such code any more."""
    if row["kind"] == Kind.STATE:
        words = code_keys(Kind.STATE, row["codes"], row["result"])
        return words[0] if words else int(row["result"])
    return int(row["result"]) if row["kind"] == Kind.BITS else row["result"]


def result_quality(row: Row, _voice: Voice) -> str:
    return QUALITY_WORDS[row["quality"]][0]


def parameters(row: Row, _voice: Voice) -> dict[str, Any]:
    """Of bits, the words of all that are set."""
    if row["kind"] == Kind.BITS:
        return {"codes": code_keys(Kind.BITS, row["codes"], row["result"])}
    return {}
