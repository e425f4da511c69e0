"""What can be wrong with ourselves: from which measure on, for how long, and what an operator reads."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from services.core.alerting.alert import AlertClass, Annotations, Severity, Subject
from services.core.city.language import Text


@dataclass(frozen=True, slots=True)
class Fault:
    """above: a measure beyond it is wrong. hold: for how long, before anybody is told.

    Where a fault is one publisher's, {publisher} in the annotations stands for it.
    """

    key: str
    above: float
    hold: dt.timedelta
    severity: Severity
    annotations: Annotations

    def subject(self, publisher: str | None) -> Subject:
        labels = {"rule": self.key}
        annotations = self.annotations
        if publisher is not None:
            labels["publisher"] = publisher
            annotations = _naming(publisher, annotations)
        return Subject(
            labels=labels,
            rule_key=self.key,
            annotations=annotations,
            alert_class=AlertClass.PLATFORM,
            domain="platform",
        )


def _naming(publisher: str, annotations: Annotations) -> Annotations:
    def named(text: Text) -> Text:
        said = text.as_dict().items()
        return Text(**{k: v.replace("{publisher}", publisher) for k, v in said})

    return replace(
        annotations,
        cause=named(annotations.cause),
        consequence=named(annotations.consequence),
        action=named(annotations.action),
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
FLOOD: Final = Fault(
    key="platform.flood",
    above=120,
    hold=dt.timedelta(0),
    severity=Severity.MEDIUM,
    annotations=Annotations(
        cause=Text(
            kk="{publisher} екі минуттан бері тиісінен әлдеқайда көп хабар жіберіп тұр.",
            ru="{publisher} уже две минуты отправляет намного больше сообщений, чем должен.",
            en="{publisher} has been sending far more messages than it should for two minutes.",
        ),
        consequence=Text(
            kk="Оның хабарлары кезекке қойылды, сондықтан кешігеді; басқалардың деректері кешікпейді."
            " Миллион хабар жиналса, келесілері қабылданбайды.",
            ru="Его сообщения отложены и запаздывают; данные остальных не задерживаются."
            " Когда накопится миллион, следующие будут отклоняться.",
            en="Its messages are set aside and late; nobody else's are."
            " Once a million of them wait, further ones are refused.",
        ),
        action=Text(
            kk="Үзілістен кейінгі жинақ болса, өзі бітеді. Болмаса «alatau devices watch {publisher}» не жіберіп тұрғанын"
            " көрсетеді; құрылғыны жөндеңіз, қажет болса «alatau devices revoke {publisher}» оны ажыратады.",
            ru="Если это накопленное за время обрыва, оно закончится само. Иначе «alatau devices watch {publisher}»"
            " покажет, что он шлёт; исправьте устройство, в крайнем случае отключите: «alatau devices revoke {publisher}».",
            en="What it saved up during an outage ends by itself. Else `alatau devices watch {publisher}` shows what it sends;"
            " mend the device, or cut it off with `alatau devices revoke {publisher}`.",
        ),
        respond_within=dt.timedelta(minutes=30),
    ),
)
FAULTS: Final = {fault.key: fault for fault in (LEDGER, INGEST, HISTORY, FLOOD)}
