"""An alert as the operator API shows it."""

from services.api.auth.permissions import Place
from services.api.language import in_language
from services.api.operator.alerts import schemas
from services.api.operator.alerts.store import AlertNames
from services.core.alerting.alert import Alert
from services.core.alerting.duration import format_duration
from services.core.city.language import Language


def place_of(alert: Alert, names: AlertNames) -> Place:
    subject = alert.subject
    return Place(
        subject.domain,
        subject.district,
        household=subject.datastream_id in names.household,
    )


def say_alert(
    alert: Alert, names: AlertNames, language: Language | None
) -> schemas.Alert:
    subject, annotations = alert.subject, alert.subject.annotations
    return schemas.Alert(
        alert_id=alert.alert_id or 0,
        fingerprint=subject.fingerprint,
        version=alert.version,
        state=alert.state,
        severity=alert.severity,
        alert_class=subject.alert_class,
        rule=subject.rule_key,
        labels=dict(subject.labels),
        domain=subject.domain,
        district=subject.district,
        thing=names.things.get(subject.thing_id or 0),
        datastream=names.datastreams.get(subject.datastream_id or 0),
        value=alert.value,
        cause=in_language(annotations.cause.as_dict(), language),
        consequence=in_language(annotations.consequence.as_dict(), language),
        action=in_language(annotations.action.as_dict(), language),
        respond_within=format_duration(annotations.respond_within),
        starts_at=alert.starts_at,
        detected_at=alert.detected_at,
        ends_at=alert.ends_at,
        acknowledged=_acknowledged(alert),
        in_inbox=alert.in_inbox,
        updated_at=alert.updated_at,
    )


def _acknowledged(alert: Alert) -> schemas.Acknowledged | None:
    held = alert.acknowledgement
    if held is None:
        return None
    return schemas.Acknowledged(
        at=held.at, by=held.by, version=held.version, note=held.note
    )
