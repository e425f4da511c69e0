"""What can be wrong with ourselves: from which measure on, for how long, and what an operator reads."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from services.core.alerting.alert import AlertClass, Annotations, Severity, Subject
from services.core.city.language import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """above: a measure beyond it is wrong. hold: for how long, before anybody is told."""

    key: str
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


LEDGER: Final = Fault(
    key="platform.ledger",
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
INGEST: Final = Fault(
    key="platform.ingest",
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
HISTORY: Final = Fault(
    key="platform.history",
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
FAULTS: Final = {fault.key: fault for fault in (LEDGER, INGEST, HISTORY)}
