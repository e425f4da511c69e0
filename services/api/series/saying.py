"""PURE: observations as the JSON documents that series.schemas describes."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from services.api.language import in_language
from services.api.moments import say_moment
from services.api.series.model import (
    QUALITY_WORDS,
    Observation,
    Place,
    Series,
    Sums,
    SumsByBucket,
)
from services.core.city.catalogue import Aggregation, Kind
from services.core.city.language import Language

_PLAIN: Final = frozenset(
    {
        Aggregation.AVG,
        Aggregation.MIN,
        Aggregation.MAX,
        Aggregation.SUM,
        Aggregation.LAST,
    }
)
CODED: Final = frozenset({Kind.STATE, Kind.BITS})


def say_head(series: Series, language: Language | None) -> dict[str, Any]:
    return {
        "datastream_id": series.datastream_id,
        "datastream": series.key,
        "name": in_language(series.name, language),
        "thing": series.thing,
        "observed_property": series.observed_property,
        "kind": series.kind,
        "unit": series.unit,
        "codes": say_codes(series.codes, language),
    }


def say_codes(
    codes: Sequence[Mapping[str, Any]], language: Language | None
) -> list[dict[str, Any]]:
    return [
        {
            "value": code["value"],
            "key": code["key"],
            "name": in_language(code["name"], language),
            "abnormal": code.get("abnormal", False),
        }
        for code in codes
    ]


def say_result(series: Series, result: float) -> dict[str, Any]:
    """A number, and for states and bits what it means."""
    if series.kind not in CODED:
        return {"result": result}
    return {"result": int(result), "codes": series.code_keys(result)}


def say_observation(
    series: Series, observation: Observation, *, whole: bool
) -> dict[str, Any]:
    """whole: with both flags of the quality and the time it was stored, as operators see it."""
    quality, source, check = QUALITY_WORDS[observation.quality]
    said: dict[str, Any] = {
        "phenomenon_time": say_moment(observation.phenomenon_time),
        "result": observation.result,
        "quality": quality,
    }
    if series.kind in CODED:
        said |= say_result(series, observation.result)
    if whole:
        said["source_quality"], said["check_quality"] = source, check
        said["ingested_at"] = say_moment(observation.ingested_at)
    return said


def say_series(
    series: Sequence[Series],
    observations: Sequence[Observation],
    language: Language | None,
    *,
    whole: bool,
) -> list[dict[str, Any]]:
    by_datastream: dict[int, list[Observation]] = defaultdict(list)
    for observation in observations:
        by_datastream[observation.datastream_id].append(observation)
    return [
        {
            **say_head(one, language),
            "observations": [
                say_observation(one, observation, whole=whole)
                for observation in by_datastream[one.datastream_id]
            ],
        }
        for one in series
    ]


def touched(
    series: Sequence[Series], after: Place | None, until: Place | None
) -> list[Series]:
    """Those whose observations a page may have: from where it begins to where it ends."""
    return [
        one
        for one in series
        if (after is None or one.datastream_id >= after[0])
        and (until is None or one.datastream_id <= until[0])
    ]


def say_buckets(
    series: Series,
    sums: SumsByBucket,
    edges: Sequence[dt.datetime],
    wanted: Collection[Aggregation],
) -> list[dict[str, Any]]:
    """The series' buckets that have anything, in order."""
    return [
        {
            "start": say_moment(start),
            "end": say_moment(end),
            "count": found.count,
            "excluded": found.excluded,
            "coverage": min(1.0, round(found.count / series.expected(end - start), 4)),
            **_say_sums(series, found, wanted),
        }
        for number, (start, end) in enumerate(pairwise(edges))
        if (found := sums.get((series.datastream_id, number)))
    ]


def _say_sums(
    series: Series, sums: Sums, wanted: Collection[Aggregation]
) -> dict[str, Any]:
    said: dict[str, Any] = {
        word: getattr(sums, word) for word in sorted(_PLAIN.intersection(wanted))
    }
    if Aggregation.LAST in wanted and series.kind in CODED and sums.last is not None:
        said["last_codes"] = series.code_keys(sums.last)
    if Aggregation.DELTA in wanted:
        said["delta"] = sums.delta
    if Aggregation.DURATION in wanted:
        said["duration"] = {
            (series.code_keys(number) or [str(number)])[0]: seconds
            for number, seconds in sorted(sums.durations.items())
        }
    return said
