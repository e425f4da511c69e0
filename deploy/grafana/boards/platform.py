"""PURE: the dashboard Platform: the ledger, who is silent, who lags, what was refused, how much is stored."""

from deploy.grafana import platform_queries as sql
from deploy.grafana.boards.overview import SILENT, SILENT_SECONDS
from deploy.grafana.panels import (
    GREEN,
    GREY,
    ORANGE,
    RED,
    alive,
    district_variable,
    number,
)
from deploy.grafana.spec import Board, Look, Panel, Section, Setting, Shape, Step
from services.core.city.language import Text

TITLE = Text("Платформа", "Платформа", "Platform")
NOTE = Text(
    "Қабылданды = сақталды + біріктірілді + қайталанды + қабылданбады + күтуде.",
    "Принято = сохранено + объединено + повторы + отклонено + ожидают.",
    "Received = stored + merged + duplicate + rejected + waiting; what waits is in no other figure yet.",
)
LEDGER = Text("Есеп кітабы", "Учёт", "Ledger")
FATES = {
    "received": Text("Қабылданды", "Принято", "Received"),
    "stored": Text("Сақталды", "Сохранено", "Stored"),
    "merged": Text("Біріктірілді", "Объединено", "Merged"),
    "duplicate": Text("Қайталанды", "Повторы", "Duplicate"),
    "rejected": Text("Қабылданбады", "Отклонено", "Rejected"),
}
BALANCE = Text("Есептен айырма", "Расхождение учёта", "Out of balance")
VIOLATIONS = Text("Заң бұзылған есептер", "Нарушения закона", "Violations of the law")
MISSING_NOW = Text("Жетпейтін хабарлар", "Сообщений не хватает", "Messages missing now")
LOST = Text("Жоғалған хабарлар", "Сообщений потеряно", "Messages lost for good")
GAPS = Text("Үзілістер", "Пропуски", "Gaps recorded and closed")
PUBLISHERS = Text(
    "Құрылғылар: соңғы хабардан бері",
    "Устройства: с последнего сообщения",
    "Publishers by silence",
)
MISSING = Text("Жетпеген хабарлар", "Недостающие сообщения", "Missing messages")
LOG = Text("Оқиғалар журналы", "Журнал событий", "Event log")
BATCHES = Text("Журнал топтамалары", "Пакеты журнала", "Batches of the log")
BYTES = Text("Журнал көлемі", "Объём журнала", "Bytes of the log")
WAITING = Text("Күтуде", "Ожидают", "Items waiting")
CONSUMERS = Text(
    "Оқушылардың артта қалуы", "Отставание потребителей", "Lag of the consumers"
)
REJECTED = Text("Қабылданбағандар", "Отклонённое", "Rejected, by reason")
STORE = Text("Сақтау қоймасы", "Хранилище", "Store")
DATABASE = Text("Деректер базасы", "База данных", "Database")

WHOLE_NUMBER = Look(decimals=0)


def ledger(setting: Setting) -> tuple[Panel, ...]:
    say = setting.say
    fates = [
        number(say(title), sql.ledger(column), WHOLE_NUMBER)
        for column, title in FATES.items()
    ]
    zero = Look(steps=(Step(None, GREEN), Step(1, RED)), decimals=0)
    few = Look(steps=(Step(None, GREEN), Step(1, ORANGE)), decimals=0)
    return (
        *fates,
        number(say(WAITING), sql.WAITING_NOW, WHOLE_NUMBER),
        number(say(VIOLATIONS), sql.VIOLATIONS, zero, width=6),
        number(say(BALANCE), sql.NOT_BALANCED, zero, width=6),
        number(say(MISSING_NOW), sql.MISSING_NOW, few, width=6),
        number(say(LOST), sql.LOST, few, width=6),
    )


def publishers(setting: Setting) -> tuple[Panel, ...]:
    warning = Look(steps=(Step(None, GREY), Step(1, ORANGE)), decimals=0)
    seconds = Look(column_units={"silent": "s"})
    silent = sql.silent_publishers(SILENT_SECONDS)
    table = sql.silence(setting.language)
    say = setting.say
    return (
        number(say(SILENT), silent, warning, width=6),
        alive(setting, width=6),
        number(say(DATABASE), sql.WHOLE_STORE, Look("bytes"), width=12),
        Panel(say(PUBLISHERS), Shape.TABLE, table, 16, seconds, height=10),
        Panel(say(MISSING), Shape.TABLE, sql.MISSING, 8, height=10),
    )


def event_log(setting: Setting) -> tuple[Panel, ...]:
    say = setting.say
    lag = Look(column_units={"seconds": "s"})
    return (
        Panel(say(WAITING), Shape.CHART, sql.WAITING, 8, WHOLE_NUMBER),
        Panel(say(BATCHES), Shape.CHART, sql.LOG, 8, WHOLE_NUMBER),
        Panel(say(BYTES), Shape.CHART, sql.LOG_BYTES, 8, Look("bytes")),
        Panel(say(CONSUMERS), Shape.TABLE, sql.CONSUMERS, 12, lag),
        Panel(say(GAPS), Shape.CHART, sql.GAPS, 12, WHOLE_NUMBER),
    )


def rejected_and_stored(setting: Setting) -> tuple[Panel, ...]:
    say = setting.say
    bytes_of = Look(column_units={"bytes": "bytes"})
    stacked = Look(decimals=0, stacked=True)
    return (
        Panel(say(REJECTED), Shape.CHART, sql.REJECTED, 12, stacked),
        Panel(say(REJECTED), Shape.BARS, sql.REJECTED_BY_REASON, 6),
        Panel(say(STORE), Shape.TABLE, sql.STORE, 6, bytes_of),
    )


def platform_board(setting: Setting) -> Board:
    say = setting.say
    return Board(
        "alatau-platform",
        say(TITLE),
        say(NOTE),
        (
            Section(say(LEDGER), ledger(setting)),
            Section(say(PUBLISHERS), publishers(setting)),
            Section(say(LOG), event_log(setting)),
            Section(say(REJECTED), rejected_and_stored(setting)),
        ),
        (district_variable(setting),),
        since="1h",
    )
