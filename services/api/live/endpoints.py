"""GET /live/latest, /live/alerts: for operators, within their scope."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from services.api.auth.permissions import Action, may, scope_of
from services.api.auth.session import Reader, Token, session_of
from services.api.context import ApiContext, Context
from services.api.failures import TooMuchError, documented
from services.api.live.alert_client import AlertClient, AlertSelection
from services.api.live.answering import (
    LastEventId,
    documented_stream,
    require_ready,
    stream_answer,
)
from services.api.live.latest_client import LatestClient
from services.api.live.latest_table import Selection
from services.api.operator.alerts.saying import say_alert
from services.api.operator.alerts.store import find_names
from services.api.parameters import (
    Datastreams,
    Districts,
    Domains,
    ObservedProperties,
    Things,
    narrowed,
)
from services.core.alerting.alert import Severity
from services.core.storage.alerts import AlertFilter, list_alerts

MOST_DATASTREAMS: Final = 20_000
_INBOX: Final = 1_000
_LATEST_EXAMPLE: Final = """event: latest
data: {"observations":[{"datastream_id":1048581,"datastream":"yntymak-pump-1.pressure","thing":"yntymak-pump-1","observed_property":"water_pressure","unit":"bar","phenomenon_time":"2026-11-22T04:00:00.250Z","result":4.2,"quality":"good"}]}
id: observations:5531

event: heartbeat
data: {"time":"2026-11-22T04:00:05.000Z","log_time":"2026-11-22T04:00:04.210Z","following":true}
id: observations:5536
"""
_ALERTS_EXAMPLE: Final = """event: alerts
data: {"changes":[{"alert_id":311,"version":2,"action":"firing","at":"2026-11-22T04:00:00.000Z","actor":"rule:water-main-burst","reason":"held","state":"firing","severity":"critical","class":"process","rule":"water-main-burst","labels":{"thing":"gate-main-3"},"domain":"water","district":"gate","thing":"gate-main-3","datastream":"gate-main-3.pressure","value":1.7,"starts_at":"2026-11-22T03:59:00.000Z","detected_at":"2026-11-22T04:00:00.000Z","ends_at":null,"acknowledged_at":null,"acknowledged_by":null}]}
id: alerts:17
"""

router = APIRouter(
    prefix="/live", tags=["Live streams"], responses=documented(401, 422, 429, 503)
)


@router.get(
    "/latest",
    response_class=Response,
    responses={**documented(400), **documented_stream(_LATEST_EXAMPLE)},
)
async def live_latest(
    actor: Reader,
    token: Token,
    context: Context,
    domain: Domains = None,
    district: Districts = None,
    thing: Things = None,
    observed_property: ObservedProperties = None,
    datastream: Datastreams = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Newest values as they come: first all of them, then what changes, each datastream at most once a second.

    A client that reads slowly gets fewer, newer values; it is never sent an old one late.
    """
    feeds = context.feeds
    require_ready(feeds.latest)
    scope = scope_of(actor)
    selection = Selection(
        domains=narrowed(scope.domains, domain),
        districts=narrowed(scope.districts, district),
        things=thing,
        observed_properties=observed_property,
        datastreams=datastream,
        household=scope.household,
    )
    if scope.household:
        feeds.latest.name([*(thing or ()), *(datastream or ())])
    client = LatestClient(feeds, selection, context.pace)
    if client.selected() > MOST_DATASTREAMS:
        raise TooMuchError(
            f"These are {client.selected():,} datastreams; a stream has at most {MOST_DATASTREAMS:,}. Ask for a "
            "district, a domain, things or datastreams."
        )
    return stream_answer(
        context.doors,
        f"user:{actor.user_id}",
        client,
        last_event_id,
        _welcome(context, token),
    )


@router.get(
    "/alerts",
    response_class=Response,
    responses=documented_stream(_ALERTS_EXAMPLE),
)
async def live_alerts(
    actor: Reader,
    token: Token,
    context: Context,
    domain: Domains = None,
    district: Districts = None,
    severity: Annotated[
        list[Severity] | None,
        Query(max_length=4, description="Only of this severity; may be repeated."),
    ] = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Alerts as they happen: first all that want an operator (as /alerts?inbox=true), then every change of any.

    A change that comes twice has the same alert_id and version. Texts are at /alerts/{alert_id}.
    """
    feeds = context.feeds
    require_ready(feeds.alerts)
    scope = scope_of(actor)
    wanted = AlertFilter(
        severities=severity,
        domains=narrowed(scope.domains, domain),
        districts=narrowed(scope.districts, district),
        household=scope.household,
        inbox=True,
    )
    selection = AlertSelection(
        partial(may, actor, Action.READ), domain, district, severity
    )
    client = AlertClient(
        feeds, selection, context.pace, partial(_inbox, context, wanted)
    )
    return stream_answer(
        context.doors,
        f"user:{actor.user_id}",
        client,
        last_event_id,
        _welcome(context, token),
    )


async def _inbox(context: ApiContext, wanted: AlertFilter) -> Sequence[dict[str, Any]]:
    async with context.database.reading() as connection:
        alerts = await list_alerts(connection, wanted, None, _INBOX)
        names = await find_names(connection, alerts)
    return [say_alert(alert, names, None).model_dump(mode="json") for alert in alerts]


def _welcome(context: ApiContext, token: str) -> Callable[[], Awaitable[bool]]:
    async def still_welcome() -> bool:
        return await session_of(context, token) is not None

    return still_welcome
