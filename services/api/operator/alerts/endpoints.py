"""GET /alerts, /alerts/{alert_id}, …/journal; POST …/acknowledge."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from services.api.auth.permissions import Action, Actor, may, scope_of
from services.api.auth.session import Acknowledger, Reader, require
from services.api.context import Context
from services.api.failures import (
    ConflictError,
    NotFoundError,
    OutdatedError,
    documented,
)
from services.api.operator.alerts import schemas
from services.api.operator.alerts.saying import place_of, say_alert
from services.api.operator.alerts.store import AlertNames, find_names, find_thing_id
from services.api.parameters import (
    KEY_PATTERN,
    Districts,
    Domains,
    Lang,
    Pages,
    narrowed,
)
from services.api.schemas import Page
from services.core.alerting.alert import (
    Alert,
    AlertClass,
    AlertState,
    AlreadyAcknowledgedError,
    NothingToAcknowledgeError,
    OutdatedVersionError,
    Severity,
)
from services.core.storage.alerts import (
    AlertFilter,
    AlertNotFoundError,
    acknowledge,
    get_alert,
    journal_of,
    list_alerts,
)
from services.core.storage.pool import Connection

AlertId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The episode's id.")]
_One = Annotated[str | None, Query(pattern=KEY_PATTERN)]

router = APIRouter(tags=["Alerts and rules"], responses=documented(401, 422, 503))


class _Chosen:
    """Which alerts a list is about."""

    def __init__(
        self,
        *,
        state: Annotated[
            list[AlertState] | None,
            Query(max_length=4, description="Only in this state; may be repeated."),
        ] = None,
        severity: Annotated[
            list[Severity] | None,
            Query(max_length=4, description="Only of this severity; may be repeated."),
        ] = None,
        alert_class: Annotated[
            list[AlertClass] | None,
            Query(
                alias="class",
                max_length=3,
                description="Only of this class; may be repeated.",
            ),
        ] = None,
        rule: Annotated[
            _One, Query(description="Only raised by this rule (its key).")
        ] = None,
        inbox: Annotated[
            bool,
            Query(
                description="Only what wants an operator: firing, or resolved before anybody acknowledged it."
            ),
        ] = False,
    ) -> None:
        self.state = state
        self.severity = severity
        self.alert_class = alert_class
        self.rule = rule
        self.inbox = inbox


@router.get("/alerts", responses=documented(400, 404))
async def get_alerts(
    actor: Reader,
    context: Context,
    pages: Pages,
    chosen: Annotated[_Chosen, Depends()],
    domain: Domains = None,
    district: Districts = None,
    thing: Annotated[
        _One, Query(description="Only about this thing (its key).")
    ] = None,
    lang: Lang = None,
) -> Page[schemas.Alert]:
    """Alerts this user may see, newest first; `inbox=true` is what a control room works through."""
    scope, before = scope_of(actor), pages.after(1)
    async with context.database.reading() as connection:
        wanted = AlertFilter(
            states=chosen.state,
            severities=chosen.severity,
            classes=chosen.alert_class,
            domains=narrowed(scope.domains, domain),
            districts=narrowed(scope.districts, district),
            thing_id=await _thing_id(connection, thing) if thing else None,
            rule_key=chosen.rule,
            inbox=chosen.inbox,
            household=scope.household,
        )
        alerts = await list_alerts(
            connection, wanted, before[0] if before else None, pages.rows
        )
        names = await find_names(connection, alerts)
    return pages.page(
        alerts,
        lambda alert: say_alert(alert, names, lang),
        lambda alert: (alert.alert_id or 0,),
    )


@router.get("/alerts/{alert_id}", responses=documented(404))
async def get_one_alert(
    alert_id: AlertId, actor: Reader, context: Context, lang: Lang = None
) -> schemas.Alert:
    """One episode."""
    async with context.database.reading() as connection:
        alert, names = await _visible(connection, actor, alert_id)
    return say_alert(alert, names, lang)


@router.get("/alerts/{alert_id}/journal", responses=documented(404))
async def get_journal(
    alert_id: AlertId, actor: Reader, context: Context
) -> schemas.Journal:
    """All that has happened to an alert, in order."""
    async with context.database.reading() as connection:
        await _visible(connection, actor, alert_id)
        entries = await journal_of(connection, alert_id)
    return schemas.Journal(
        items=[
            schemas.JournalEntry(
                at=entry.at,
                action=entry.action,
                actor=entry.actor,
                version=entry.version,
                reason=entry.reason,
                value=entry.value,
                note=entry.note,
            )
            for entry in entries
        ]
    )


@router.post("/alerts/{alert_id}/acknowledge", responses=documented(403, 404, 409))
async def acknowledge_alert(
    alert_id: AlertId,
    word: schemas.Acknowledge,
    actor: Acknowledger,
    context: Context,
    lang: Lang = None,
) -> schemas.Alert:
    """Say that you have seen the alert, at the version you saw.

    Saying it twice changes nothing. When the alert has changed since, the answer is 409 with `current_version`: read
    it again, then decide.
    """
    async with context.database.writing() as connection:
        seen, names = await _visible(connection, actor, alert_id)
        require(actor, Action.ACKNOWLEDGE, place_of(seen, names))
        try:
            alert = await acknowledge(
                connection,
                alert_id,
                word.version,
                actor.name,
                word.note,
                context.clock.now(),
            )
        except OutdatedVersionError as error:
            raise OutdatedError(
                f"The alert is at version {error.current.version} now; you saw {word.version}.",
                facts=_current(error.current),
            ) from error
        except AlreadyAcknowledgedError as error:
            raise ConflictError(
                "Somebody has acknowledged the alert already.",
                facts=_current(error.current),
            ) from error
        except NothingToAcknowledgeError as error:
            raise ConflictError(str(error), facts=_current(error.current)) from error
    return say_alert(alert, names, lang)


async def _visible(
    connection: Connection, actor: Actor, alert_id: int
) -> tuple[Alert, AlertNames]:
    """Raises NotFoundError, also for what this user may not see."""
    try:
        alert = await get_alert(connection, alert_id)
    except AlertNotFoundError as error:
        raise _not_found(alert_id) from error
    names = await find_names(connection, [alert])
    if not may(actor, Action.READ, place_of(alert, names)):
        raise _not_found(alert_id)
    return alert, names


def _not_found(alert_id: int) -> NotFoundError:
    return NotFoundError(f"There is no alert {alert_id} that you may see.")


async def _thing_id(connection: Connection, key: str) -> int:
    thing_id = await find_thing_id(connection, key)
    if thing_id is None:
        raise NotFoundError(f"There is no thing {key!r}.")
    return thing_id


def _current(alert: Alert) -> dict[str, object]:
    held = alert.acknowledgement
    return {
        "current_version": alert.version,
        "current_state": alert.state,
        "acknowledged_by": held.by if held else None,
    }
