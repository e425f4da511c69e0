"""The OpenAPI description: what is said about the API as a whole, and what every operation gets alike."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from services.api.failures import FieldProblem, Problem
from services.api.sensorthings.documentation import schemas as sensorthings_schemas

TITLE: Final = "Alatau"
VERSION: Final = "1"
_DESCRIPTION: Final = """
An open city data platform. **`/api/v1`** is for operators: log in with `POST /api/v1/login` and send the token as
`Authorization: Bearer …`. **`/open/v1`** is open data: no login, any origin, CC BY 4.0. **`/sta/v1.1`** is the same
data as OGC SensorThings 1.1.

Times are RFC 3339 in UTC, to the millisecond. Names are `{kk, ru, en}`; `?lang=` gives one of them. Units are UCUM.
Lists page by cursor: give `next` back as `?cursor=`, or follow the `Link` header. Whatever goes wrong is an
RFC 9457 problem document (`application/problem+json`).
"""
_TAGS: Final = (
    (
        "Open data",
        "No login. Only what is marked public, protected sites at district precision.",
    ),
    (
        "SensorThings",
        "OGC SensorThings 1.1, reading: the same public data as open data, for its clients. No login.",
    ),
    ("Users and sessions", "Login gives a token for twelve hours."),
    ("City and catalogue", "The city, its districts, and all that can be measured."),
    ("Things", "Physical assets, and what they contain and feed."),
    ("Devices", "What speaks MQTT, and whether it is alive."),
    ("Datastreams", "What is measured where."),
    ("Observations", "Values over time, and the newest ones."),
    ("Alerts and rules", "What wants an operator, and the operator's word on it."),
    ("Rejected messages and ledger", "What became of everything that was received."),
    (
        "Live streams",
        "Server-sent events: a snapshot, then changes, a heartbeat every 5 s.",
    ),
    ("Health", "For supervisors and Prometheus."),
)


def describe(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI description of these routes."""
    schema = get_openapi(
        title=TITLE,
        version=VERSION,
        description=_DESCRIPTION,
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
        tags=[{"name": name, "description": text} for name, text in _TAGS],
        routes=routes,
    )
    _add_problems(schema["components"]["schemas"])
    schema["components"]["schemas"] |= sensorthings_schemas()
    for operation in _operations(schema):
        operation["summary"] = operation["description"].split("\n")[0]
    return schema


def query_parameters(schema: dict[str, Any]) -> dict[str, frozenset[str]]:
    """Names of the query parameters of each operation."""
    return {
        operation["operationId"]: frozenset(
            parameter["name"]
            for parameter in operation.get("parameters", ())
            if parameter["in"] == "query"
        )
        for operation in _operations(schema)
    }


def operation_id(route: APIRoute) -> str:
    return route.name


def _add_problems(schemas: dict[str, Any]) -> None:
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    problem.pop("$defs")
    schemas["Problem"] = problem
    schemas["FieldProblem"] = FieldProblem.model_json_schema()


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in schema["paths"].values():
        yield from methods.values()
