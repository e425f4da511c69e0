"""PURE: alerts as rows of their table, and back."""

from collections.abc import Mapping
from typing import Any

from services.core.alerting.alert import (
    Acknowledgement,
    Alert,
    AlertClass,
    AlertState,
    Annotations,
    Severity,
    Subject,
)
from services.core.alerting.duration import format_duration, parse_duration
from services.core.city.language import Text


def columns_of(alert: Alert) -> tuple[Any, ...]:
    subject = alert.subject
    return (
        subject.fingerprint,
        subject.rule_key,
        dict(subject.labels),
        _annotations_document(subject.annotations),
        alert.severity,
        subject.alert_class,
        alert.state,
        subject.domain,
        subject.district_id,
        subject.thing_id,
        subject.datastream_id,
        alert.value,
        alert.starts_at,
        alert.detected_at,
        alert.ends_at,
        alert.version,
        alert.updated_at,
    )


def acknowledgement_columns(alert: Alert) -> tuple[Any, ...]:
    held = alert.acknowledgement
    if held is None:
        return (None, None, None, None)
    return (held.at, held.by, held.version, held.note)


def _annotations_document(annotations: Annotations) -> dict[str, Any]:
    return {
        "cause": annotations.cause.as_dict(),
        "consequence": annotations.consequence.as_dict(),
        "action": annotations.action.as_dict(),
        "respond_within": format_duration(annotations.respond_within),
    }


def _annotations(document: Mapping[str, Any]) -> Annotations:
    return Annotations(
        cause=Text.from_mapping(document["cause"]),
        consequence=Text.from_mapping(document["consequence"]),
        action=Text.from_mapping(document["action"]),
        respond_within=parse_duration(document["respond_within"]),
    )


def alert_of(row: Mapping[str, Any]) -> Alert:
    acknowledged_at = row["acknowledged_at"]
    return Alert(
        alert_id=row["alert_id"],
        subject=Subject(
            labels=row["labels"],
            rule_key=row["rule_key"],
            annotations=_annotations(row["annotations"]),
            alert_class=AlertClass(row["class"]),
            domain=row["domain"],
            district_id=row["district_id"],
            district=row["district"],
            thing_id=row["thing_id"],
            datastream_id=row["datastream_id"],
        ),
        state=AlertState(row["state"]),
        severity=Severity(row["severity"]),
        value=row["value"],
        starts_at=row["starts_at"],
        detected_at=row["detected_at"],
        ends_at=row["ends_at"],
        version=row["version"],
        acknowledgement=Acknowledgement(
            acknowledged_at,
            row["acknowledged_by"],
            row["acknowledged_version"],
            row["acknowledged_note"],
        )
        if acknowledged_at
        else None,
        updated_at=row["updated_at"],
    )
