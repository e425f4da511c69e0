/** Words of rejected messages: the list, one of them, and what mends it. */
import type { Words } from "../lib/language.svelte";
import type { RejectedState } from "../lib/rejected/model";

export interface RejectedWords {
  title: string;
  lead: string;
  search: string;
  reason: string;
  anyReason: string;
  settled: string;
  none: string;
  noneHelp: string;
  failed: string;
  open: (count: number) => string;
  of: (count: number) => string;
  flood: (publisher: string, count: number, reason: string) => string;
  choose: string;
  chooseHelp: string;
  back: string;
  notFound: string;
  publisher: string;
  device: string;
  channel: string;
  received: string;
  topic: string;
  sequence: string;
  state: string;
  states: Record<RejectedState, string>;
  attempts: (count: number) => string;
  payload: string;
  bytes: (count: number) => string;
  payloadGone: string;
  payloadEngineers: string;
  mend: string;
  nothingMends: string;
  engineersMend: string;
  mapLead: (alias: string, type: string) => string;
  mapChannel: string;
  rangeLead: (property: string, unit: string) => string;
  low: string;
  high: string;
  deviceLead: (device: string) => string;
  deviceType: string;
  thing: string;
  hostLead: (gateway: string, device: string) => string;
  save: string;
  mended: string;
  replayGroup: (count: number) => string;
  dismissGroup: string;
  replaying: string;
  replayed: (mended: number, refused: number, lost: number) => string;
  dismissed: (count: number) => string;
  watch: string;
  /** By key; a reason that is not here is shown by its key. */
  reasons: Record<string, string>;
}

export const rejectedWords: Words<RejectedWords> = {
  kk: {
    title: "Қабылданбағандар",
    lead: "Құрылғылардан келген, бірақ қолдануға келмеген деректер: себебі және бастапқы түрі.",
    search: "Құрылғы, арна немесе сөз",
    reason: "Себебі",
    anyReason: "Кез келген себеп",
    settled: "Шешілгенін де көрсету",
    none: "Қабылданбаған ештеңе жоқ",
    noneHelp: "Соңғы 30 күнде ашық жазба жоқ.",
    failed: "Тізім алынбады. Сервердің жұмысын тексеріңіз; қайталау өздігінен жүреді.",
    open: (count) => `ашық: ${count}`,
    of: (count) => `барлығы: ${count}`,
    flood: (publisher, count, reason) => `${publisher}: тағы ${count} (${reason}) саналды, бірақ сақталмады`,
    choose: "Жазбаны таңдаңыз",
    chooseHelp: "Мұнда оның бастапқы хабары мен түзету жолы көрсетіледі.",
    back: "Тізімге оралу",
    notFound: "Мұндай жазба жоқ немесе оны көруге құқығыңыз жоқ.",
    publisher: "Жіберген",
    device: "Құрылғы",
    channel: "Арна",
    received: "Келген уақыты",
    topic: "Тақырып",
    sequence: "Нөмірі",
    state: "Күйі",
    states: { open: "Ашық", replayed: "Қайта оқылды", dismissed: "Тізімнен алынды" },
    attempts: (count) => `қайта оқылғанда тағы қабылданбады: ${count} рет`,
    payload: "Бастапқы хабар",
    bytes: (count) => `${count} байт`,
    payloadGone: "Бастапқы хабар енді сақталмаған.",
    payloadEngineers:
      "Бастапқы хабарды инженерлер ғана көреді: онда үй шаруашылықтарының деректері болуы мүмкін.",
    mend: "Түзету",
    nothingMends: "Мұны тізілімде түзетуге болмайды: құрылғының өзі түзетілуі керек.",
    engineersMend: "Мұны бүкіл қалаға құқығы бар инженер түзетеді.",
    mapLead: (alias, type) => `«${alias}» атауы ${type} түріндегі қай арнаны білдіреді?`,
    mapChannel: "Арна",
    rangeLead: (property, unit) => `${property} рұқсат етілген шегі, ${unit}`,
    low: "Төменгі шек",
    high: "Жоғарғы шек",
    deviceLead: (device) => `${device} құрылғысын тіркеу`,
    deviceType: "Құрылғы түрі",
    thing: "Нысан кілті",
    hostLead: (gateway, device) => `${gateway} шлюзіне ${device} үшін жіберуге рұқсат беру`,
    save: "Сақтау",
    mended: "Тізілім түзетілді. Енді осы себептен қалғандарды қайта оқуға болады.",
    replayGroup: (count) => `Осы ${count} жазбаны қайта оқу`,
    dismissGroup: "Тізімнен алу",
    replaying: "Қайта оқылуда…",
    replayed: (mended, refused, lost) =>
      `Түзелді: ${mended}. Тағы қабылданбады: ${refused}. Оқылмады: ${lost}.`,
    dismissed: (count) => `Тізімнен алынды: ${count}.`,
    watch: "Құрылғыны бақылау",
    reasons: {
      malformed: "Пішімі бұзылған",
      too_large: "Тым үлкен",
      unknown_topic: "Белгісіз тақырып",
      unknown_device: "Белгісіз құрылғы",
      retired_device: "Қызметтен шыққан құрылғы",
      not_hosted: "Бұл шлюзге тіркелмеген",
      no_channels: "Өзі өлшемейді",
      empty: "Мәні жоқ",
      bad_sequence: "Нөмірі қате",
      time_missing: "Уақыты жоқ",
      bad_time: "Уақыты қате",
      too_old: "Тым ескі",
      in_future: "Болашақ уақыт",
      unknown_channel: "Белгісіз арна",
      wrong_unit: "Өлшем бірлігі қате",
      no_birth: "Birth келмеген",
      wrong_type: "Түрі қате",
      unknown_code: "Белгісіз код",
      not_finite: "Шексіз сан",
      range: "Шектен тыс",
      over_budget: "Тым жиі жібереді",
      conflict: "Басқа мән сақталған",
      unknown_command: "Сұралмаған жауап",
    },
  },
  ru: {
    title: "Отклонённые",
    lead: "Что пришло от устройств и не может быть использовано: причина и исходный вид.",
    search: "Устройство, канал или слово",
    reason: "Причина",
    anyReason: "Любая причина",
    settled: "Показать и решённые",
    none: "Отклонённых нет",
    noneHelp: "За последние 30 дней нет открытых записей.",
    failed: "Список не получен. Проверьте работу сервера; повтор произойдёт сам.",
    open: (count) => `открыто: ${count}`,
    of: (count) => `всего: ${count}`,
    flood: (publisher, count, reason) => `${publisher}: ещё ${count} (${reason}) сосчитаны, но не сохранены`,
    choose: "Выберите запись",
    chooseHelp: "Здесь появятся исходное сообщение и способ исправления.",
    back: "К списку",
    notFound: "Такой записи нет, или у вас нет права её видеть.",
    publisher: "Отправитель",
    device: "Устройство",
    channel: "Канал",
    received: "Получено",
    topic: "Тема",
    sequence: "Номер",
    state: "Состояние",
    states: { open: "Открыта", replayed: "Прочитана заново", dismissed: "Снята со списка" },
    attempts: (count) => `снова отклонена при повторном чтении: ${count} раз`,
    payload: "Исходное сообщение",
    bytes: (count) => `${count} байт`,
    payloadGone: "Исходное сообщение больше не хранится.",
    payloadEngineers: "Исходное сообщение видят только инженеры: в нём могут быть данные домохозяйств.",
    mend: "Исправить",
    nothingMends: "В реестре это не исправить: исправить нужно само устройство.",
    engineersMend: "Это исправляет инженер с правами на весь город.",
    mapLead: (alias, type) => `Какой канал типа ${type} означает имя «${alias}»?`,
    mapChannel: "Канал",
    rangeLead: (property, unit) => `Допустимый диапазон ${property}, ${unit}`,
    low: "Нижняя граница",
    high: "Верхняя граница",
    deviceLead: (device) => `Зарегистрировать устройство ${device}`,
    deviceType: "Тип устройства",
    thing: "Ключ объекта",
    hostLead: (gateway, device) => `Разрешить шлюзу ${gateway} передавать за ${device}`,
    save: "Сохранить",
    mended: "Реестр исправлен. Теперь можно прочитать заново всё, что отклонено по этой причине.",
    replayGroup: (count) => `Прочитать заново записей: ${count}`,
    dismissGroup: "Снять со списка",
    replaying: "Читаем заново…",
    replayed: (mended, refused, lost) =>
      `Исправлено: ${mended}. Снова отклонено: ${refused}. Не прочитано: ${lost}.`,
    dismissed: (count) => `Снято со списка: ${count}.`,
    watch: "Наблюдать за устройством",
    reasons: {
      malformed: "Нарушен формат",
      too_large: "Слишком большое",
      unknown_topic: "Неизвестная тема",
      unknown_device: "Неизвестное устройство",
      retired_device: "Устройство выведено из работы",
      not_hosted: "Не за этим шлюзом",
      no_channels: "Само не измеряет",
      empty: "Нет значений",
      bad_sequence: "Неверный номер",
      time_missing: "Нет времени",
      bad_time: "Неверное время",
      too_old: "Слишком старое",
      in_future: "Время в будущем",
      unknown_channel: "Неизвестный канал",
      wrong_unit: "Неверная единица",
      no_birth: "Не было birth",
      wrong_type: "Неверный тип",
      unknown_code: "Неизвестный код",
      not_finite: "Не конечное число",
      range: "Вне диапазона",
      over_budget: "Шлёт слишком часто",
      conflict: "Сохранено другое значение",
      unknown_command: "Ответ без запроса",
    },
  },
  en: {
    title: "Rejected",
    lead: "What came from devices and could not be used: why, and as it came.",
    search: "Device, channel or word",
    reason: "Reason",
    anyReason: "Any reason",
    settled: "Show what is settled, too",
    none: "Nothing is rejected",
    noneHelp: "Nothing is open in the last 30 days.",
    failed: "The list could not be read. Check that the server works; it is asked again by itself.",
    open: (count) => `${count} open`,
    of: (count) => `of ${count}`,
    flood: (publisher, count, reason) => `${publisher}: ${count} more (${reason}) counted, and not kept`,
    choose: "Choose an entry",
    chooseHelp: "Its raw message and what mends it are shown here.",
    back: "Back to the list",
    notFound: "There is no such entry, or you may not see it.",
    publisher: "Sent by",
    device: "Device",
    channel: "Channel",
    received: "Received",
    topic: "Topic",
    sequence: "Number",
    state: "State",
    states: { open: "Open", replayed: "Read again", dismissed: "Dismissed" },
    attempts: (count) => `refused again by ${count} ${count === 1 ? "replay" : "replays"}`,
    payload: "Raw message",
    bytes: (count) => `${count} bytes`,
    payloadGone: "The raw message is no longer kept.",
    payloadEngineers: "Only engineers see the raw message: it may hold data of households.",
    mend: "Mend the cause",
    nothingMends: "Nothing in the registry mends this: the device itself has to be mended.",
    engineersMend: "An engineer of the whole city mends this.",
    mapLead: (alias, type) => `Which channel of ${type} does “${alias}” mean?`,
    mapChannel: "Channel",
    rangeLead: (property, unit) => `Accepted range of ${property}, ${unit}`,
    low: "Lower end",
    high: "Upper end",
    deviceLead: (device) => `Register the device ${device}`,
    deviceType: "Device type",
    thing: "Key of the asset",
    hostLead: (gateway, device) => `Let the gateway ${gateway} speak for ${device}`,
    save: "Save",
    mended: "The registry is mended. What was rejected for this can be read again now.",
    replayGroup: (count) => (count === 1 ? "Read it again" : `Read these ${count} again`),
    dismissGroup: "Dismiss",
    replaying: "Reading again…",
    replayed: (mended, refused, lost) =>
      `Mended: ${mended}. Refused again: ${refused}. Could not be read: ${lost}.`,
    dismissed: (count) => `Dismissed: ${count}.`,
    watch: "Watch the device",
    reasons: {
      malformed: "Malformed",
      too_large: "Too large",
      unknown_topic: "Unknown topic",
      unknown_device: "Unknown device",
      retired_device: "Retired device",
      not_hosted: "Not of this gateway",
      no_channels: "Measures nothing",
      empty: "No values",
      bad_sequence: "Bad number",
      time_missing: "No time",
      bad_time: "Bad time",
      too_old: "Too old",
      in_future: "In the future",
      unknown_channel: "Unknown channel",
      wrong_unit: "Wrong unit",
      no_birth: "No birth came",
      wrong_type: "Wrong type",
      unknown_code: "Unknown code",
      not_finite: "Not finite",
      range: "Out of range",
      over_budget: "Sends too often",
      conflict: "Another value is stored",
      unknown_command: "Answer to nothing",
    },
  },
};
