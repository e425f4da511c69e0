"""PURE: the service root: the entity sets, and the requirements of the standard that are met.

Source: OGC 18-088, clause 9.2.1 (service root).
"""

from typing import Any, Final

from services.api.opendata.licence import LICENCE
from services.api.sensorthings.entities import ENTITY_SETS
from services.api.sensorthings.model import Voice

_SPECIFICATION: Final = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
# built-in-query-functions is not among them, for want of geography; nor is data-array, which is also about writing.
CONFORMANCE: Final = tuple(
    _SPECIFICATION + requirement
    for requirement in (
        "datamodel",
        "resource-path/resource-path-to-entities",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/status-code",
        "request-data/query-status-code",
        "request-data/orderby",
        "request-data/top",
        "request-data/skip",
        "request-data/count",
        "request-data/filter",
        "request-data/built-in-filter-operations",
        "request-data/pagination",
    )
)


def service_root(voice: Voice) -> dict[str, Any]:
    return {
        "value": [
            {"name": name, "url": f"{voice.base}/{name}"} for name in ENTITY_SETS
        ],
        "serverSettings": {"conformance": CONFORMANCE, "licence": LICENCE},
    }
