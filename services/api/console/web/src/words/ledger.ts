/** Words of the page of the ledger. */
import type { Words } from "../lib/language.svelte";
import type { Breach, Fate, Filter, Gap } from "../lib/ledger/ledger";

export interface LedgerWords {
  title: string;
  lead: string;
  received: string;
  fate: Record<Fate, string>;
  fateMeans: Record<Fate, string>;
  rate: (items: string) => string;
  balanced: string;
  unbalanced: string;
  unbalancedHelp: string;
  breach: Record<Breach, string>;
  breachOf: (what: string, difference: string) => string;
  whole: string;
  numbered: string;
  numberedLead: string;
  numbers: string;
  messages: string;
  missing: string;
  lost: string;
  publishers: string;
  publisher: string;
  unknown: string;
  gaps: string;
  gapsOf: (publisher: string) => string;
  noGaps: string;
  filterBy: string;
  filter: Record<Filter, string>;
  search: string;
  nothingFits: string;
  more: string;
  epoch: string;
  sequence: string;
  state: string;
  gapState: Record<Gap["state"], string>;
  recorded: string;
  forbidden: string;
  unreachable: string;
  loading: string;
}

export const ledgerWords: Words<LedgerWords> = {
  kk: {
    title: "Деректер есебі",
    lead: "Қабылданған әрбір жазба осылардың дәл біреуінде тұр.",
    received: "Қабылданды",
    fate: {
      stored: "Сақталды",
      merged: "Біріктірілді",
      duplicate: "Қайталанды",
      rejected: "Қабылданбады",
      waiting: "Күтуде",
    },
    fateMeans: {
      stored: "жаңа жазба болып сақталды",
      merged: "сол уақыттағы жазбаны толықтырды",
      duplicate: "дәл осындайы сақталған",
      rejected: "себебімен бөлек сақталды",
      waiting: "оқылды, әлі сақталған жоқ",
    },
    rate: (items) => `секундына ${items}`,
    balanced: "Есеп тең",
    unbalanced: "Есеп тең емес",
    unbalancedHelp:
      "Бұл платформаның қатесі. Журналдарды сақтаңыз, «alatau ledger --verify» орындап, әзірлеушілерге хабарлаңыз.",
    breach: {
      fates: "жазбалар саны тең шықпайды",
      messages: "хабар нөмірлері тең шықпайды",
      gaps: "жазылған үзілістер нөмірлерге сай емес",
      log: "тарих пен қабылдау журналы әртүрлі",
    },
    breachOf: (what, difference) => `${what}: айырма ${difference}`,
    whole: "бүкіл қала",
    numbered: "Нөмірленген хабарлар",
    numberedLead: "Нөмірлейтін құрылғылар үшін тәуелсіз тексеру.",
    numbers: "Нөмірлер",
    messages: "Келгені",
    missing: "Жетпейді",
    lost: "Жоғалды",
    publishers: "Құрылғылар бойынша",
    publisher: "Құрылғы",
    unknown: "тіркелмегендер",
    gaps: "Үзілістер",
    gapsOf: (publisher) => `${publisher}: үзілістер`,
    noGaps: "Үзіліс жазылмаған.",
    filterBy: "Көрсету",
    filter: { all: "Барлығы", gaps: "Үзілісі барлар", unbalanced: "Тең еместер" },
    search: "Құрылғыны іздеу",
    nothingFits: "Мұндай құрылғы жоқ.",
    more: "Тағы көрсету",
    epoch: "Дәуір",
    sequence: "Нөмірлері",
    state: "Күйі",
    gapState: { open: "сұралуда", lost: "жоғалды", closed: "келді" },
    recorded: "Жазылған уақыты",
    forbidden: "Есеп бүкіл қалаға ортақ: оны ауданы мен саласы шектелмеген пайдаланушы көреді.",
    unreachable: "Есеп алынбады; қайта сұралуда.",
    loading: "Есеп оқылуда…",
  },
  ru: {
    title: "Учёт данных",
    lead: "Каждая принятая запись учтена ровно в одной из этих граф.",
    received: "Принято",
    fate: {
      stored: "Сохранено",
      merged: "Объединено",
      duplicate: "Повторы",
      rejected: "Отклонено",
      waiting: "Ожидают",
    },
    fateMeans: {
      stored: "сохранено новой записью",
      merged: "дополнило запись того же времени",
      duplicate: "точно такое уже сохранено",
      rejected: "хранится отдельно, с причиной",
      waiting: "прочитано, ещё не сохранено",
    },
    rate: (items) => `${items} в секунду`,
    balanced: "Учёт сходится",
    unbalanced: "Учёт не сходится",
    unbalancedHelp:
      "Это ошибка платформы. Сохраните журналы, выполните «alatau ledger --verify» и сообщите разработчикам.",
    breach: {
      fates: "не сходится число записей",
      messages: "не сходятся номера сообщений",
      gaps: "записанные пропуски не соответствуют номерам",
      log: "история и журнал приёма расходятся",
    },
    breachOf: (what, difference) => `${what}: разница ${difference}`,
    whole: "весь город",
    numbered: "Нумерованные сообщения",
    numberedLead: "Независимая проверка для устройств, которые нумеруют сообщения.",
    numbers: "Номеров",
    messages: "Пришло",
    missing: "Не хватает",
    lost: "Потеряно",
    publishers: "По устройствам",
    publisher: "Устройство",
    unknown: "незарегистрированные",
    gaps: "Пропуски",
    gapsOf: (publisher) => `${publisher}: пропуски`,
    noGaps: "Пропусков не записано.",
    filterBy: "Показать",
    filter: { all: "Все", gaps: "С пропусками", unbalanced: "Не сходятся" },
    search: "Найти устройство",
    nothingFits: "Таких устройств нет.",
    more: "Показать ещё",
    epoch: "Эпоха",
    sequence: "Номера",
    state: "Состояние",
    gapState: { open: "запрашивается", lost: "потеряно", closed: "пришло" },
    recorded: "Записано",
    forbidden: "Учёт общий для города: его видят пользователи без ограничений по районам и отраслям.",
    unreachable: "Учёт не получен; запрос повторяется.",
    loading: "Учёт загружается…",
  },
  en: {
    title: "Data ledger",
    lead: "Every item received is in exactly one of these.",
    received: "Received",
    fate: {
      stored: "Stored",
      merged: "Merged",
      duplicate: "Duplicate",
      rejected: "Rejected",
      waiting: "Waiting",
    },
    fateMeans: {
      stored: "a new row of its own",
      merged: "completed a row of the same time",
      duplicate: "the very same was stored already",
      rejected: "kept apart, with the reason",
      waiting: "read, not stored yet",
    },
    rate: (items) => `${items} a second`,
    balanced: "The account adds up",
    unbalanced: "The account does not add up",
    unbalancedHelp:
      "This is a fault of the platform. Keep the logs, run `alatau ledger --verify`, and tell its makers.",
    breach: {
      fates: "the items do not add up",
      messages: "the message numbers do not add up",
      gaps: "the recorded gaps do not fit the numbers",
      log: "history and the log of ingest differ",
    },
    breachOf: (what, difference) => `${what}: by ${difference}`,
    whole: "the whole city",
    numbered: "Numbered messages",
    numberedLead: "An independent check, for publishers that number their messages.",
    numbers: "Numbers",
    messages: "Came",
    missing: "Missing",
    lost: "Lost",
    publishers: "By publisher",
    publisher: "Publisher",
    unknown: "not registered",
    gaps: "Gaps",
    gapsOf: (publisher) => `Gaps of ${publisher}`,
    noGaps: "No gaps are recorded.",
    filterBy: "Show",
    filter: { all: "All", gaps: "With gaps", unbalanced: "Not adding up" },
    search: "Find a publisher",
    nothingFits: "There is no such publisher.",
    more: "Show more",
    epoch: "Epoch",
    sequence: "Numbers",
    state: "State",
    gapState: { open: "being asked for", lost: "lost", closed: "came after all" },
    recorded: "Recorded",
    forbidden: "The ledger is about the whole city: users without limits of district or domain see it.",
    unreachable: "The ledger could not be read; trying again.",
    loading: "Reading the ledger…",
  },
};
