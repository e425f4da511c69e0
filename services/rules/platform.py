"""Alerts about ourselves: the ledger does not add up, ingest stands still, history lags behind."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.core.alerting.alert import (
    AlertClass,
    AlertState,
    Annotations,
    Move,
    MoveReason,
    Severity,
    Subject,
    SubjectMove,
)
from services.core.city.language import Text
from services.core.clock import Clock
from services.core.storage.alerts import apply_moves
from services.core.storage.event_log import wake_consumers
from services.core.storage.pool import Connection

_LOOK: Final = """
SELECT (SELECT count(*)::float8 FROM ledger_violations) AS violations,
       (SELECT extract(epoch FROM $1::timestamptz - logged_at)::float8 FROM log_streams
        WHERE stream = 'observations' AND isfinite(logged_at)) AS silent,
       (SELECT extract(epoch FROM s.logged_at - c.logged_at)::float8 FROM log_cursors c JOIN log_streams s USING (stream)
        WHERE c.consumer = 'history' AND stream = 'observations'
          AND isfinite(s.logged_at) AND isfinite(c.logged_at)) AS behind
"""
_FIRING: Final = """
SELECT rule_key, updated_at FROM alerts WHERE rule_key = ANY($1) AND state = 'firing'
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """column: of what is looked at. above: from there on it is wrong. hold: how long before anybody is told."""

    key: str
    column: str
    above: float
    hold: dt.timedelta
    severity: Severity
    annotations: Annotations

    @property
    def subject(self) -> Subject:
        return Subject(
            labels={"rule": self.key},
            rule_key=self.key,
            annotations=self.annotations,
            alert_class=AlertClass.PLATFORM,
            domain="platform",
        )


_LEDGER: Final = Fault(
    key="platform.ledger",
    column="violations",
    above=0,
    hold=dt.timedelta(0),
    severity=Severity.CRITICAL,
    annotations=Annotations(
        cause=Text(
            kk="Сақталу заңы орындалмай тұр: қабылданған деректердің есебі тең шықпайды.",
            ru="Закон сохранения не выполняется: учёт принятых данных не сходится.",
            en="The conservation law does not hold: the account of what was received does not add up.",
        ),
        consequence=Text(
            kk="Деректер жоғалған немесе екі рет сақталған болуы мүмкін; тиісті құрылғылардың сандарына сенуге болмайды.",
            ru="Данные могли потеряться или сохраниться дважды; показаниям этих устройств нельзя доверять.",
            en="Data may be lost or stored twice; the figures of the devices concerned cannot be trusted.",
        ),
        action=Text(
            kk="«alatau ledger» кімнің есебі екенін көрсетеді. Журналдарды сақтаңыз, «alatau ledger --verify» орындап,"
            " платформа әзірлеушілеріне хабарлаңыз.",
            ru="«alatau ledger» покажет, чей это учёт. Сохраните журналы, выполните «alatau ledger --verify»"
            " и сообщите разработчикам платформы.",
            en="`alatau ledger` shows whose account it is. Keep the logs, run `alatau ledger --verify`,"
            " and tell the platform's makers.",
        ),
        respond_within=dt.timedelta(minutes=15),
    ),
)
_INGEST: Final = Fault(
    key="platform.ingest",
    column="silent",
    above=30,
    hold=dt.timedelta(seconds=90),
    severity=Severity.CRITICAL,
    annotations=Annotations(
        cause=Text(
            kk="Деректерді қабылдау екі минуттан бері ештеңе жазбайды.",
            ru="Приём данных уже две минуты ничего не записывает.",
            en="Ingest has not written anything for two minutes.",
        ),
        consequence=Text(
            kk="Экрандағы қала бір орнында тұр. Құрылғылар деректерін қабылдау қалпына келгенше сақтайды.",
            ru="Картина города на экранах не меняется. Устройства хранят свои данные, пока приём не восстановится.",
            en="The city on the screens stands still. Devices keep their data until it is back.",
        ),
        action=Text(
            kk="«alatau status» пен «alatau logs ingest» қараңыз; дерекқордың дискісі толып қалмады ма?",
            ru="Посмотрите «alatau status» и «alatau logs ingest»; не заполнен ли диск базы данных?",
            en="Look at `alatau status` and `alatau logs ingest`; is the database's disk full?",
        ),
        respond_within=dt.timedelta(minutes=5),
    ),
)
_HISTORY: Final = Fault(
    key="platform.history",
    column="behind",
    above=60,
    hold=dt.timedelta(seconds=60),
    severity=Severity.HIGH,
    annotations=Annotations(
        cause=Text(
            kk="Тарих қызметі бір минуттан артық кешігіп келеді.",
            ru="Служба истории отстаёт больше чем на минуту.",
            en="History lags behind by more than a minute.",
        ),
        consequence=Text(
            kk="Соңғы мәндер, құрылғылардың күйі және есеп ескірген; қабылданған деректер жоғалмайды.",
            ru="Последние значения, состояние устройств и учёт устарели; принятые данные не теряются.",
            en="Latest values, the state of devices and the ledger are stale; nothing that was received is lost.",
        ),
        action=Text(
            kk="«alatau logs history» қараңыз; дерекқор немесе процессор шамадан тыс жүктелмеген бе?",
            ru="Посмотрите «alatau logs history»; не перегружены ли база данных или процессор?",
            en="Look at `alatau logs history`; is the database or the processor overloaded?",
        ),
        respond_within=dt.timedelta(minutes=30),
    ),
)
FAULTS: Final = (_LEDGER, _INGEST, _HISTORY)
KEYS: Final = frozenset(fault.key for fault in FAULTS)


class PlatformWatch:
    """Looks at ourselves in wall time: what is wrong with us may be that the log's own time stands still."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: dict[str, dt.datetime] = {}

    async def look(self, connection: Connection) -> int:
        """Raise and end alerts; how many moves that were."""
        now = self._clock.now()
        seen = await connection.fetchrow(_LOOK, now)
        rows = await connection.fetch(_FIRING, list(KEYS))
        firing = {row["rule_key"]: row["updated_at"] for row in rows}
        moves = [
            SubjectMove(fault.subject, move)
            for fault in FAULTS
            if (move := self._move(fault, seen, now, firing.get(fault.key)))
        ]
        if moves:
            async with connection.transaction():
                await apply_moves(connection, moves, now)
            await wake_consumers(connection, "alerts")
        return len(moves)

    def _move(
        self,
        fault: Fault,
        seen: Mapping[str, float | None],
        now: dt.datetime,
        firing_since: dt.datetime | None,
    ) -> Move | None:
        """firing_since: when its alert changed last; None: there is none."""
        value = seen[fault.column] or 0.0
        wrong = value > fault.above
        since = self._since.setdefault(fault.key, now) if wrong else now
        if not wrong:
            self._since.pop(fault.key, None)
        if firing_since is None and wrong and now - since >= fault.hold:
            to, reason = AlertState.FIRING, MoveReason.CONDITION_TRUE
        elif firing_since is not None and not wrong:
            to, reason = AlertState.RESOLVED, MoveReason.CLEARED
        else:
            return None
        at = max(now, firing_since or now)
        return Move(
            to=to,
            at=at,
            since=since,
            severity=fault.severity,
            value=value,
            reason=reason,
        )
