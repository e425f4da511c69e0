/** Words of the alert inbox, the list of all alerts, and an alert's page. */
import type { Chosen } from "../lib/alerts/history.svelte";
import type { Grouping } from "../lib/alerts/arrangement";
import type { Words } from "../lib/language.svelte";

export interface AlertWords {
  inbox: string;
  all: string;
  which: string;
  keys: string;
  group: string;
  grouping: Record<Grouping, string>;
  waiting: (count: number) => string;
  unacknowledged: (count: number) => string;
  calm: string;
  calmHelp: string;
  lastChange: (when: string) => string;
  choose: string;
  chooseHelp: string;
  back: string;

  firing: string;
  pending: string;
  inactive: string;
  resolved: string;
  resolvedUnseen: string;
  acknowledgedBy: (name: string) => string;
  left: (span: string) => string;
  overdue: (span: string) => string;

  severityLabel: string;
  stateLabel: string;
  classLabel: string;
  domainLabel: string;
  districtLabel: string;
  search: string;
  searchHelp: (count: number) => string;
  any: string;
  chosen: Record<Chosen, string>;
  clear: string;
  more: string;
  readingMore: string;
  listed: (count: number) => string;
  none: string;
  listFailed: string;
  again: string;

  actionTitle: string;
  causeTitle: string;
  consequenceTitle: string;
  factsTitle: string;
  respondWithin: string;
  where: string;
  onMap: string;
  onAsset: string;
  valueNow: string;
  valueThen: string;
  age: (span: string) => string;
  startsAt: string;
  detectedAt: string;
  endsAt: string;
  rule: string;
  number: string;

  acknowledgeTitle: string;
  acknowledge: string;
  note: string;
  noteHelp: string;
  acknowledging: string;
  acknowledgedAt: (name: string, when: string) => string;
  done: string;
  forbidden: string;
  viewer: string;
  unreachable: string;
  refused: (detail: string) => string;
  changed: string;
  rose: (severity: string) => string;
  fell: (severity: string) => string;
  becameResolved: string;
  becameAcknowledged: (name: string) => string;
  becameVoid: string;
  becameOther: string;
  nothingToDo: string;

  journal: string;
  /** By action of the journal. */
  actions: Record<string, string>;
  /** By reason of the journal. */
  reasons: Record<string, string>;
  byRule: string;
  episodes: string;
  firstEpisode: string;
  lasted: (span: string) => string;
  missing: string;
  missingHelp: string;
  alertFailed: string;
  reading: string;

  sound: string;
  soundHelp: string;
}

export const alertWords: Words<AlertWords> = {
  kk: {
    inbox: "Назар күтеді",
    all: "Барлығы",
    which: "Қай дабылдар",
    keys: "↑ ↓ Home End: тізім бойымен, Enter: ашу, A: қабылдау, Esc: тізімге оралу",
    group: "Топтау",
    grouping: { none: "Топтамай", rule: "Себебі бойынша", thing: "Нысан бойынша", district: "Аудан бойынша" },
    waiting: (count) => `Жаңа: ${count}`,
    unacknowledged: (count) => `Қабылданбаған: ${count}`,
    calm: "Назар күтетін дабыл жоқ",
    calmHelp: "Жаңа дабыл осы жерде өздігінен пайда болады.",
    lastChange: (when) => `Соңғы өзгеріс: ${when}`,
    choose: "Дабылды таңдаңыз",
    chooseHelp: "Мұнда не болғаны, не істеу керегі және дабылдың барысы көрсетіледі.",
    back: "Тізімге",

    firing: "Белсенді",
    pending: "Расталуда",
    inactive: "Расталмаған",
    resolved: "Аяқталды",
    resolvedUnseen: "Аяқталды, әлі қабылданбаған",
    acknowledgedBy: (name) => `Қабылдаған: ${name}`,
    left: (span) => `${span} қалды`,
    overdue: (span) => `мерзімі өтті: ${span}`,

    severityLabel: "Маңызы",
    stateLabel: "Күйі",
    classLabel: "Түрі",
    domainLabel: "Сала",
    districtLabel: "Аудан",
    search: "Іздеу",
    searchHelp: (count) => `Жүктелген дабылдар арасында: ${count}`,
    any: "Барлығы",
    chosen: {
      fired: "Белсенді және аяқталған",
      firing: "Белсенді",
      resolved: "Аяқталған",
      pending: "Расталуда",
      inactive: "Расталмаған",
    },
    clear: "Сүзгілерді алып тастау",
    more: "Тағы көрсету",
    readingMore: "Жүктелуде…",
    listed: (count) => `Көрсетілген: ${count}`,
    none: "Мұндай дабыл жоқ.",
    listFailed: "Дабылдар тізімі алынбады. Байланыс қалпына келгенде қайталаңыз.",
    again: "Қайталау",

    actionTitle: "Не істеу керек",
    causeTitle: "Не болды",
    consequenceTitle: "Немен қауіпті",
    factsTitle: "Мәліметтер",
    respondWithin: "Әрекет ету мерзімі",
    where: "Қайда",
    onMap: "Картадан көру",
    onAsset: "Нысан беті",
    valueNow: "Қазіргі мәні",
    valueThen: "Дабыл кезіндегі мәні",
    age: (span) => `${span} бұрын`,
    startsAt: "Басталды",
    detectedAt: "Анықталды",
    endsAt: "Аяқталды",
    rule: "Ереже",
    number: "Нөмірі",

    acknowledgeTitle: "Қабылдау",
    acknowledge: "Қабылдадым",
    note: "Ескертпе (міндетті емес)",
    noteHelp: "Мысалы: бригада шықты.",
    acknowledging: "Жіберілуде…",
    acknowledgedAt: (name, when) => `${name} қабылдаған, ${when}`,
    done: "Дабыл қабылданды.",
    forbidden: "Бұл дабылды қабылдауға құқығыңыз жоқ.",
    viewer: "Сіз тек көре аласыз: дабылды оператор қабылдайды.",
    unreachable: "Сервер жауап бермеді: дабыл қабылданған жоқ, ескертпе сақталды. Қайталап көріңіз.",
    refused: (detail) => `Сервер қабылдамады: ${detail}`,
    changed: "Бұл арада дабыл өзгерді, сондықтан ол қабылданған жоқ:",
    rose: (severity) => `Маңызы көтерілді: ${severity}.`,
    fell: (severity) => `Маңызы төмендеді: ${severity}.`,
    becameResolved: "Жағдай қалпына келді.",
    becameAcknowledged: (name) => `Оны бұрын қабылдаған: ${name}.`,
    becameVoid: "Бұрынғы қабылдау күшін жойды.",
    becameOther: "Мәні жаңарды. Қарап шығып, қайта қабылдаңыз.",
    nothingToDo: "Қабылдайтын ештеңе жоқ: дабыл іске қосылмаған.",

    journal: "Барысы",
    actions: {
      pending: "Шарт орындалды",
      firing: "Дабыл іске қосылды",
      resolved: "Дабыл аяқталды",
      inactive: "Расталмады",
      acknowledged: "Қабылданды",
      acknowledgement_void: "Қабылдау күшін жойды",
    },
    reasons: {
      condition_true: "шарт орындалды",
      held: "шарт белгіленген уақыт бойы сақталды",
      not_held: "шарт жеткілікті уақыт сақталмады",
      evidence_lost: "деректер келмей қалды",
      severity_rose: "маңызы көтерілді",
      severity_fell: "маңызы төмендеді",
      cleared: "көрсеткіш қалпына келді",
      silent: "құрылғыдан дерек келмейді",
      heard_again: "деректер қайта келе бастады",
      rule_retired: "ереже алынып тасталды",
      rule_changed: "ереже өзгертілді",
      target_retired: "нысан немесе құрылғы есептен шығарылды",
    },
    byRule: "ереже",
    episodes: "Осындай бұрынғы дабылдар",
    firstEpisode: "Мұндай дабыл бұрын болмаған.",
    lasted: (span) => `ұзақтығы ${span}`,
    missing: "Мұндай дабыл жоқ",
    missingHelp: "Сілтеме қате терілген немесе бұл дабылды көруге құқығыңыз жоқ.",
    alertFailed: "Дабыл туралы деректер алынбады. Байланыс қалпына келгенде өздігінен жүктеледі.",
    reading: "Жүктелуде…",

    sound: "Апаттық дабыл дыбысы",
    soundHelp: "Апаттық дабыл келгенде қысқа белгі беріледі",
  },
  ru: {
    inbox: "Ждут внимания",
    all: "Все",
    which: "Какие тревоги",
    keys: "↑ ↓ Home End: по списку, Enter: открыть, A: квитировать, Esc: назад к списку",
    group: "Группировать",
    grouping: { none: "Без групп", rule: "По причине", thing: "По объекту", district: "По району" },
    waiting: (count) => `Новых: ${count}`,
    unacknowledged: (count) => `Не квитировано: ${count}`,
    calm: "Внимания ничего не требует",
    calmHelp: "Новая тревога появится здесь сама.",
    lastChange: (when) => `Последнее изменение: ${when}`,
    choose: "Выберите тревогу",
    chooseHelp: "Здесь будет видно, что случилось, что делать и как развивались события.",
    back: "К списку",

    firing: "Активна",
    pending: "Подтверждается",
    inactive: "Не подтвердилась",
    resolved: "Завершена",
    resolvedUnseen: "Завершена, не квитирована",
    acknowledgedBy: (name) => `Квитирована: ${name}`,
    left: (span) => `осталось ${span}`,
    overdue: (span) => `просрочено на ${span}`,

    severityLabel: "Важность",
    stateLabel: "Состояние",
    classLabel: "Вид",
    domainLabel: "Отрасль",
    districtLabel: "Район",
    search: "Поиск",
    searchHelp: (count) => `Среди загруженных: ${count}`,
    any: "Любая",
    chosen: {
      fired: "Активные и завершённые",
      firing: "Активные",
      resolved: "Завершённые",
      pending: "Подтверждаются",
      inactive: "Не подтвердились",
    },
    clear: "Сбросить фильтры",
    more: "Показать ещё",
    readingMore: "Загружаем…",
    listed: (count) => `Показано: ${count}`,
    none: "Таких тревог нет.",
    listFailed: "Не удалось получить список тревог. Повторите, когда связь восстановится.",
    again: "Повторить",

    actionTitle: "Что делать",
    causeTitle: "Что случилось",
    consequenceTitle: "Чем грозит",
    factsTitle: "Сведения",
    respondWithin: "Срок реагирования",
    where: "Где",
    onMap: "На карте",
    onAsset: "Страница объекта",
    valueNow: "Значение сейчас",
    valueThen: "Значение при тревоге",
    age: (span) => `${span} назад`,
    startsAt: "Началась",
    detectedAt: "Обнаружена",
    endsAt: "Завершена",
    rule: "Правило",
    number: "Номер",

    acknowledgeTitle: "Квитирование",
    acknowledge: "Квитировать",
    note: "Заметка (необязательно)",
    noteHelp: "Например: бригада выехала.",
    acknowledging: "Отправляем…",
    acknowledgedAt: (name, when) => `Квитирована: ${name}, ${when}`,
    done: "Тревога квитирована.",
    forbidden: "У вас нет права квитировать эту тревогу.",
    viewer: "У вас доступ только для просмотра: тревоги квитирует оператор.",
    unreachable: "Сервер не ответил: тревога не квитирована, заметка сохранена. Повторите попытку.",
    refused: (detail) => `Сервер отказал: ${detail}`,
    changed: "Тем временем тревога изменилась, поэтому она не квитирована:",
    rose: (severity) => `Важность повысилась: ${severity}.`,
    fell: (severity) => `Важность снизилась: ${severity}.`,
    becameResolved: "Состояние вернулось к норме.",
    becameAcknowledged: (name) => `Её уже квитировали: ${name}.`,
    becameVoid: "Прежнее квитирование утратило силу.",
    becameOther: "Обновилось значение. Посмотрите и квитируйте снова.",
    nothingToDo: "Квитировать нечего: тревога не сработала.",

    journal: "Ход событий",
    actions: {
      pending: "Условие выполнено",
      firing: "Тревога сработала",
      resolved: "Тревога завершена",
      inactive: "Не подтвердилась",
      acknowledged: "Квитирована",
      acknowledgement_void: "Квитирование утратило силу",
    },
    reasons: {
      condition_true: "условие выполнено",
      held: "условие держалось заданное время",
      not_held: "условие держалось недостаточно долго",
      evidence_lost: "данные перестали поступать",
      severity_rose: "важность повысилась",
      severity_fell: "важность снизилась",
      cleared: "показание вернулось к норме",
      silent: "от устройства нет данных",
      heard_again: "данные поступают снова",
      rule_retired: "правило снято",
      rule_changed: "правило изменено",
      target_retired: "объект или устройство выведены из учёта",
    },
    byRule: "правило",
    episodes: "Прежние такие тревоги",
    firstEpisode: "Раньше таких тревог не было.",
    lasted: (span) => `длилась ${span}`,
    missing: "Такой тревоги нет",
    missingHelp: "Ссылка набрана с ошибкой, или у вас нет права видеть эту тревогу.",
    alertFailed: "Не удалось получить данные тревоги. Они загрузятся сами, когда связь восстановится.",
    reading: "Загружаем…",

    sound: "Звук при аварии",
    soundHelp: "Короткий сигнал, когда приходит тревога с важностью «Авария»",
  },
  en: {
    inbox: "Wants attention",
    all: "All",
    which: "Which alerts",
    keys: "↑ ↓ Home End: along the list, Enter: open, A: acknowledge, Esc: back to the list",
    group: "Group",
    grouping: { none: "No groups", rule: "By cause", thing: "By asset", district: "By district" },
    waiting: (count) => `New: ${count}`,
    unacknowledged: (count) => `Not acknowledged: ${count}`,
    calm: "Nothing wants attention",
    calmHelp: "A new alert appears here by itself.",
    lastChange: (when) => `Last change: ${when}`,
    choose: "Choose an alert",
    chooseHelp: "What has happened, what to do, and how it went is shown here.",
    back: "To the list",

    firing: "Firing",
    pending: "Being confirmed",
    inactive: "Not confirmed",
    resolved: "Resolved",
    resolvedUnseen: "Resolved, waiting to be seen",
    acknowledgedBy: (name) => `Acknowledged: ${name}`,
    left: (span) => `${span} left`,
    overdue: (span) => `overdue by ${span}`,

    severityLabel: "Severity",
    stateLabel: "State",
    classLabel: "Class",
    domainLabel: "Domain",
    districtLabel: "District",
    search: "Search",
    searchHelp: (count) => `Among those read: ${count}`,
    any: "Any",
    chosen: {
      fired: "Firing and resolved",
      firing: "Firing",
      resolved: "Resolved",
      pending: "Being confirmed",
      inactive: "Not confirmed",
    },
    clear: "Clear filters",
    more: "Show more",
    readingMore: "Reading…",
    listed: (count) => `Listed: ${count}`,
    none: "There are no such alerts.",
    listFailed: "The list of alerts could not be read. Try again when the connection is back.",
    again: "Try again",

    actionTitle: "What to do",
    causeTitle: "What has happened",
    consequenceTitle: "What it may lead to",
    factsTitle: "Details",
    respondWithin: "Respond within",
    where: "Where",
    onMap: "Show on the map",
    onAsset: "Asset page",
    valueNow: "Value now",
    valueThen: "Value when it fired",
    age: (span) => `${span} ago`,
    startsAt: "Began",
    detectedAt: "Detected",
    endsAt: "Ended",
    rule: "Rule",
    number: "Number",

    acknowledgeTitle: "Acknowledge",
    acknowledge: "Acknowledge",
    note: "Note (optional)",
    noteHelp: "For example: the crew is on its way.",
    acknowledging: "Sending…",
    acknowledgedAt: (name, when) => `Acknowledged by ${name}, ${when}`,
    done: "The alert is acknowledged.",
    forbidden: "You may not acknowledge this alert.",
    viewer: "You may look only: an operator acknowledges alerts.",
    unreachable: "The server did not answer: the alert is not acknowledged, your note is kept. Try again.",
    refused: (detail) => `The server refused: ${detail}`,
    changed: "The alert has changed meanwhile, so your acknowledgement was not taken:",
    rose: (severity) => `Its severity rose to ${severity}.`,
    fell: (severity) => `Its severity fell to ${severity}.`,
    becameResolved: "The condition is over.",
    becameAcknowledged: (name) => `${name} has acknowledged it already.`,
    becameVoid: "The earlier acknowledgement is void.",
    becameOther: "Its value is a newer one. Look at it and acknowledge again.",
    nothingToDo: "There is nothing to acknowledge: the alert has not fired.",

    journal: "What has happened so far",
    actions: {
      pending: "The condition is true",
      firing: "The alert fired",
      resolved: "The alert resolved",
      inactive: "Not confirmed",
      acknowledged: "Acknowledged",
      acknowledgement_void: "The acknowledgement is void",
    },
    reasons: {
      condition_true: "the condition became true",
      held: "the condition held for the set time",
      not_held: "the condition did not hold long enough",
      evidence_lost: "data stopped coming",
      severity_rose: "severity rose",
      severity_fell: "severity fell",
      cleared: "the reading is back to normal",
      silent: "the device sends no data",
      heard_again: "data is coming again",
      rule_retired: "the rule was retired",
      rule_changed: "the rule was changed",
      target_retired: "the asset or device was retired",
    },
    byRule: "rule",
    episodes: "Earlier alerts like this",
    firstEpisode: "There was no alert like this before.",
    lasted: (span) => `lasted ${span}`,
    missing: "There is no such alert",
    missingHelp: "The link may be mistyped, or you may not see this alert.",
    alertFailed: "The alert could not be read. It is read by itself when the connection is back.",
    reading: "Reading…",

    sound: "Sound for critical alerts",
    soundHelp: "A short signal when a critical alert arrives",
  },
};
