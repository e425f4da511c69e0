"""The body of a batch in the event log's `alerts` stream: JSON, one change a journal entry, in order.

Consumers read a batch with decode_changes(event_log.read(...)[i].body). A change carries everything that lists
show; texts (annotations, notes) are in the tables, under alert_id.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from services.core.alerting.alert import Alert, JournalEntry


class AlertChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert after one change. Times are aware, UTC.

    action: inactive | pending | firing | resolved | acknowledged | acknowledgement_void; at, actor, reason: of it.
    version: rises by one with every change of the alert; two changes of one version are one step.
    """

    alert_id: int
    fingerprint: str
    version: int
    action: str
    at: dt.datetime
    actor: str
    reason: str = ""
    state: str
    severity: str
    alert_class: str = msgspec.field(name="class")
    rule_key: str
    labels: Mapping[str, str]
    domain: str
    district_id: int | None = None
    thing_id: int | None = None
    datastream_id: int | None = None
    value: float | None = None
    starts_at: dt.datetime
    detected_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    acknowledged_at: dt.datetime | None = None
    acknowledged_by: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[AlertChange, ...])


def change_of(alert_id: int, alert: Alert, entry: JournalEntry) -> AlertChange:
    held = alert.acknowledgement
    return AlertChange(
        alert_id=alert_id,
        fingerprint=alert.subject.fingerprint,
        version=alert.version,
        action=entry.action,
        at=entry.at,
        actor=entry.actor,
        reason=entry.reason,
        state=alert.state.value,
        severity=alert.severity.value,
        alert_class=alert.subject.alert_class.value,
        rule_key=alert.subject.rule_key,
        labels=alert.subject.labels,
        domain=alert.subject.domain,
        district_id=alert.subject.district_id,
        thing_id=alert.subject.thing_id,
        datastream_id=alert.subject.datastream_id,
        value=alert.value,
        starts_at=alert.starts_at,
        detected_at=alert.detected_at,
        ends_at=alert.ends_at,
        acknowledged_at=held.at if held else None,
        acknowledged_by=held.by if held else None,
    )


def encode_changes(changes: Sequence[AlertChange]) -> bytes:
    return _encoder.encode(changes)


def decode_changes(body: bytes) -> tuple[AlertChange, ...]:
    return _decoder.decode(body)
