"""GET /sta/v1.1 and everything below it: one way to answer, and the paths that are described."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Header, Request, Response

from services.api.context import Context
from services.api.failures import BadQueryError
from services.api.opendata.freshness import NotModifiedError
from services.api.opendata.licence import LICENCE_LINK
from services.api.sensorthings import documentation
from services.api.sensorthings.conformance import service_root
from services.api.sensorthings.entities import (
    DATASTREAMS,
    ENTITY_SETS,
    OBSERVATIONS,
    THINGS,
)
from services.api.sensorthings.model import ROOT, EntitySet, Voice
from services.api.sensorthings.options import Options, read_options
from services.api.sensorthings.paths import ResourcePath, read_path
from services.api.sensorthings.reading import (
    Arrived,
    City,
    address_of,
    follow,
    read_documents,
    read_member,
    read_references,
    read_set,
    reference,
)

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_REGISTRY_AGE: Final = "public, max-age=60"
_SOON_OLD: Final = "public, max-age=1"
_encoder = msgspec.json.Encoder()
IfNoneMatch = Annotated[
    str | None,
    Header(
        max_length=500,
        description="ETag of the answer you have; if it still holds, 304.",
    ),
]

router = APIRouter(prefix=ROOT, tags=["SensorThings"])


async def get_sensorthings_root(
    request: Request, if_none_match: IfNoneMatch = None
) -> Response:
    """The eight entity sets, and the requirements of SensorThings 1.1 that are met."""
    options = read_options(THINGS, request.query_params.multi_items(), many=False)
    document = service_root(_voice(request, options))
    return _answer(_encoder.encode(document), _JSON, _REGISTRY_AGE, if_none_match)


async def get_sensorthings(
    request: Request, context: Context, if_none_match: IfNoneMatch = None
) -> Response:
    """Whatever is at a path below the root."""
    path_text = request.scope["path"].partition(f"{ROOT}/")[2].rstrip("/")
    if not path_text:
        return await get_sensorthings_root(request, if_none_match)
    path = read_path(path_text)
    pairs = request.query_params.multi_items()
    options = read_options(path.last.entity_set, pairs, many=not path.last.single)
    if path.member and (options.select is not None or options.expands):
        raise BadQueryError("A property has no properties to select or to expand.")
    async with context.database.public.reading() as connection:
        city = City(connection, _voice(request, options), context.clock.now())
        arrived = await follow(city, path)
        document = await _document(city, path, arrived, options, path_text, dict(pairs))
    age = _SOON_OLD if _moves(path, options) else _REGISTRY_AGE
    if document is None:
        return Response(status_code=204, headers=_headers(age))
    body, media_type = (
        _bare(document) if path.raw else (_encoder.encode(document), _JSON)
    )
    return _answer(body, media_type, age, if_none_match)


async def _document(
    city: City,
    path: ResourcePath,
    arrived: Arrived,
    options: Options,
    path_text: str,
    texts: Mapping[str, str],
) -> Any:
    """None: a property without a value."""
    if arrived.row is None:
        address = address_of(
            arrived.entity_set, path_text.removesuffix("/$ref"), texts, path.reference
        )
        read = read_references if path.reference else read_set
        return await read(city, arrived, options, address)
    if path.reference:
        link = reference(city.voice, arrived.entity_set, arrived.row)
        return {"@iot.selfLink": link}
    if path.member:
        value = await read_member(city, arrived.entity_set, arrived.row, path.member)
        return value if path.raw or value is None else {path.member[-1]: value}
    (document,) = await read_documents(city, arrived.entity_set, [arrived.row], options)
    return document


def _moves(path: ResourcePath, options: Options) -> bool:
    """Whether it changes with what is measured, not only with the registry."""
    sets = {path.last.entity_set.name}
    expands = list(options.expands)
    while expands:
        expand = expands.pop()
        sets.add(expand.navigation.target)
        expands += expand.options.expands
    return bool(sets & {DATASTREAMS.name, OBSERVATIONS.name})


def _voice(request: Request, options: Options) -> Voice:
    return Voice(options.language, str(request.base_url).rstrip("/") + ROOT)


def _bare(value: Any) -> tuple[bytes, str]:
    if isinstance(value, str):
        return value.encode(), _TEXT
    if isinstance(value, dict | list):
        return _encoder.encode(value), _JSON
    return _encoder.encode(value), _TEXT


def _answer(
    body: bytes, media_type: str, age: str, if_none_match: str | None
) -> Response:
    headers = _headers(age)
    headers["ETag"] = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    if if_none_match and headers["ETag"] in if_none_match:
        raise NotModifiedError(headers)
    return Response(body, media_type=media_type, headers=headers)


def _headers(age: str) -> dict[str, str]:
    return {"Cache-Control": age, "Link": LICENCE_LINK}


def _describe(path: str, name: str, text: str, extra: dict[str, Any]) -> None:
    responses = extra.pop("responses")
    router.add_api_route(
        path,
        get_sensorthings,
        name=f"get_sensorthings_{name}",
        description=text,
        response_class=Response,
        responses=responses,
        openapi_extra=extra,
    )


def _describe_set(one: EntitySet) -> None:
    name, single = one.name, one.singular
    of_set = documentation.parameters(one, many=True)
    key = documentation.path_id()
    member = [key, documentation.path_property(one), documentation.language()]
    answers, ref = documentation.answers, documentation.reference
    _describe(
        f"/{name}",
        name,
        f"All {name}, in pages.",
        {"parameters": of_set, "responses": answers(ref(name))},
    )
    _describe(
        f"/{name}/$ref",
        f"{name}_references",
        f"The addresses of {name}.",
        {"parameters": of_set, "responses": answers(ref("References"))},
    )
    _describe(
        f"/{name}({{id}})",
        single,
        f"One {single}.",
        {
            "parameters": [key, *documentation.parameters(one, many=False)],
            "responses": answers(ref(single)),
        },
    )
    _describe(
        f"/{name}({{id}})/{{property}}/$value",
        f"{single}_value",
        f"The bare value of a property of one {single}.",
        {"parameters": member, "responses": documentation.bare_answers()},
    )
    for link in one.links:
        target = ENTITY_SETS[link.target]
        options = documentation.parameters(target, many=link.many)
        schema = ref(target.name if link.many else target.singular)
        _describe(
            f"/{name}({{id}})/{link.name}",
            f"{single}_{link.name}",
            f"Where {single} leads to: {link.name}.",
            {"parameters": [key, *options], "responses": answers(schema)},
        )
    _describe(
        f"/{name}({{id}})/{{property}}",
        f"{single}_property",
        f"One property of one {single}.",
        {
            "parameters": member,
            "responses": answers({"type": "object"}, empty=True),
        },
    )


router.add_api_route(
    "",
    get_sensorthings_root,
    response_class=Response,
    responses=documentation.answers(documentation.reference("ServiceRoot")),
)
for _entity_set in ENTITY_SETS.values():
    _describe_set(_entity_set)
router.add_api_route("/{path:path}", get_sensorthings, include_in_schema=False)
