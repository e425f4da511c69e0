/** Words of the assets list, the asset page and its chart. */
import type { Words } from "../lib/language.svelte";
import type { Column } from "../lib/assets/list";
import type { Bucket, Resolution } from "../lib/chart/plan";
import type { Preset } from "../lib/chart/range";

interface Digest {
  min: string;
  mean: string;
  max: string;
  last: string;
}

export interface AssetsWords {
  title: string;
  search: string;
  searchHint: string;
  filters: string;
  sort: string;
  all: string;
  onlyAlerting: string;
  clear: string;
  shown: (shown: number, all: number) => string;
  nothingFits: string;
  column: Record<Column, string>;
  values: string;
  noMeasurements: string;
  nothingYet: string;
  staleFor: (age: string) => string;
  ago: (age: string) => string;
  abnormal: string;

  back: string;
  key: string;
  protected: string;
  protectedHelp: string;
  onMap: string;
  relation: Record<"contained_in" | "contains" | "fed_by" | "feeds", string>;
  more: (count: number) => string;
  unknownTitle: string;
  unknownText: (key: string) => string;
  openAlerts: string;
  noOpenAlerts: string;
  pastAlerts: string;
  noPastAlerts: string;
  since: (moment: string) => string;
  lasted: (span: string) => string;
  older: string;
  acknowledgedBy: (name: string) => string;
  measurements: string;
  property: string;
  value: string;
  age: string;
  plausible: string;
  inChart: string;
  showInChart: (name: string) => string;
  privacy: Record<"public" | "internal" | "household", string>;
  householdHidden: string;
  noDatastreams: string;

  chart: string;
  range: string;
  preset: Record<Preset, string>;
  own: string;
  from: string;
  to: string;
  apply: string;
  badRange: string;
  zone: (zone: string) => string;
  loading: string;
  failed: string;
  again: string;
  nothing: string;
  newestIs: (moment: string) => string;
  zoomIn: string;
  zoomOut: string;
  reset: string;
  dragHelp: string;
  cursor: string;
  table: string;
  tableRows: (shown: number, all: number) => string;
  download: string;
  time: string;
  resolution: Record<Resolution, string>;
  perBucket: Record<Bucket, string>;
  digest: Digest;
  /** Of a counter: how much it rose in the whole range. */
  total: (rise: string) => string;
  summary: (name: string, digest: Digest) => string;
  points: (count: number) => string;
  noneSet: string;
  noPoint: string;
  limits: string;
  plausibleLimits: string;
  atMost: (count: number) => string;
  bitsInBuckets: string;
}

export const assets: Words<AssetsWords> = {
  kk: {
    title: "Нысандар",
    search: "Іздеу",
    searchHint: "Атауы немесе кілті",
    filters: "Іріктеу",
    sort: "Реті",
    all: "Барлығы",
    onlyAlerting: "Тек дабылы барлар",
    clear: "Іріктеуді тазарту",
    shown: (shown, all) => `Көрсетілгені: ${shown}, барлығы: ${all}`,
    nothingFits: "Бұл шарттарға сай нысан жоқ.",
    column: {
      alerts: "Дабыл",
      name: "Атауы",
      kind: "Түрі",
      domain: "Сала",
      district: "Аудан",
      status: "Күйі",
    },
    values: "Қазіргі мәндер",
    noMeasurements: "Өлшем жоқ",
    nothingYet: "Әзірге дерек жоқ",
    staleFor: (age) => `ескірген, ${age} бұрын`,
    ago: (age) => `${age} бұрын`,
    abnormal: "қалыптан тыс",

    back: "Барлық нысандар",
    key: "Кілті",
    protected: "Қорғалатын нысан",
    protectedHelp: "Дәл орны ашық деректерде көрсетілмейді.",
    onMap: "Картадан көру",
    relation: {
      contained_in: "Құрамында",
      contains: "Құрамындағылар",
      fed_by: "Қайдан қоректенеді",
      feeds: "Нені қоректендіреді",
    },
    more: (count) => `Тағы ${count}`,
    unknownTitle: "Мұндай нысан табылмады",
    unknownText: (key) =>
      `«${key}» кілті бар нысан жоқ немесе оны көруге рұқсатыңыз жоқ. Сілтеме ескірген болуы мүмкін.`,
    openAlerts: "Назар күтетін дабылдар",
    noOpenAlerts: "Дабыл жоқ.",
    pastAlerts: "Өткен дабылдар",
    noPastAlerts: "Басқа дабыл болмаған.",
    since: (moment) => `${moment} бастап`,
    lasted: (span) => `ұзақтығы ${span}`,
    older: "Бұрынғыларын көрсету",
    acknowledgedBy: (name) => `қабылдаған: ${name}`,
    measurements: "Өлшемдер",
    property: "Көрсеткіш",
    value: "Мәні",
    age: "Жаңарған",
    plausible: "Қалыпты аралық",
    inChart: "График",
    showInChart: (name) => `Графикте көрсету: ${name}`,
    privacy: { public: "ашық", internal: "қызметтік", household: "тұрмыстық" },
    householdHidden: "Тұрғын үйлердің өлшемдері сіздің рөліңізге көрсетілмейді.",
    noDatastreams: "Бұл нысанда ештеңе өлшенбейді.",

    chart: "Тарихы",
    range: "Уақыт аралығы",
    preset: {
      "15m": "15 мин",
      "1h": "1 сағ",
      "6h": "6 сағ",
      "24h": "24 сағ",
      "7d": "7 күн",
      "30d": "30 күн",
    },
    own: "Өз аралығым",
    from: "Басы",
    to: "Соңы",
    apply: "Көрсету",
    badRange: "Соңы басынан кейін болуы және аралық бір жылдан аспауы керек.",
    zone: (zone) => `Қала уақыты (${zone})`,
    loading: "Тарихы жүктелуде…",
    failed: "Тарихын алу мүмкін болмады",
    again: "Қайталау",
    nothing: "Бұл аралықта дерек жоқ.",
    newestIs: (moment) => `Соңғы мән: ${moment}.`,
    zoomIn: "Жақындату",
    zoomOut: "Алыстату",
    reset: "Бастапқы аралық",
    dragHelp: "Жақындату үшін графикте аралықты тінтуірмен белгілеңіз.",
    cursor: "Графиктегі уақыт",
    table: "Кесте түрінде",
    tableRows: (shown, all) => `Соңғы ${shown} жол көрсетілген, барлығы ${all}; бәрі CSV файлында бар.`,
    download: "CSV жүктеу",
    time: "Уақыты",
    resolution: {
      raw: "әр мән жеке",
      "1m": "1 минут бойынша",
      "5m": "5 минут бойынша",
      "15m": "15 минут бойынша",
      "1h": "сағат бойынша",
      "1d": "күн бойынша",
      "1w": "апта бойынша",
    },
    perBucket: {
      "1m": "минутына",
      "5m": "5 минутта",
      "15m": "15 минутта",
      "1h": "сағатына",
      "1d": "күніне",
      "1w": "аптасына",
    },
    digest: { min: "ең кіші", mean: "орташа", max: "ең үлкен", last: "соңғы" },
    total: (rise) => `барлығы ${rise}`,
    summary: (name, { min, mean, max, last }) =>
      `${name}: ең кіші ${min}, орташа ${mean}, ең үлкен ${max}, соңғы ${last}.`,
    points: (count) => `нүкте: ${count}`,
    noneSet: "белгі жоқ",
    noPoint: "дерек жоқ",
    limits: "Дабыл шектері",
    plausibleLimits: "Қалыпты аралық",
    atMost: (count) => `Бірге ${count} көрсеткішке дейін, өлшем бірлігі бірдей болса.`,
    bitsInBuckets: "Ұзақ аралықта әр бөліктің соңындағы белгілер көрсетіледі.",
  },
  ru: {
    title: "Объекты",
    search: "Поиск",
    searchHint: "Название или ключ",
    filters: "Отбор",
    sort: "Порядок",
    all: "Все",
    onlyAlerting: "Только с тревогами",
    clear: "Сбросить отбор",
    shown: (shown, all) => `Показано ${shown} из ${all}`,
    nothingFits: "Под эти условия не подходит ни один объект.",
    column: {
      alerts: "Тревога",
      name: "Название",
      kind: "Вид",
      domain: "Отрасль",
      district: "Район",
      status: "Состояние",
    },
    values: "Текущие значения",
    noMeasurements: "Нет измерений",
    nothingYet: "Данных пока нет",
    staleFor: (age) => `устарело, ${age} назад`,
    ago: (age) => `${age} назад`,
    abnormal: "не в норме",

    back: "Все объекты",
    key: "Ключ",
    protected: "Охраняемый объект",
    protectedHelp: "Точное место не показывается в открытых данных.",
    onMap: "Показать на карте",
    relation: {
      contained_in: "В составе",
      contains: "Включает",
      fed_by: "Питается от",
      feeds: "Питает",
    },
    more: (count) => `Ещё ${count}`,
    unknownTitle: "Такого объекта нет",
    unknownText: (key) =>
      `Объекта с ключом «${key}» нет, или вам не разрешено его видеть. Возможно, ссылка устарела.`,
    openAlerts: "Тревоги, ждущие внимания",
    noOpenAlerts: "Тревог нет.",
    pastAlerts: "Прошлые тревоги",
    noPastAlerts: "Других не было.",
    since: (moment) => `с ${moment}`,
    lasted: (span) => `длилась ${span}`,
    older: "Показать более ранние",
    acknowledgedBy: (name) => `принял(а): ${name}`,
    measurements: "Измерения",
    property: "Показатель",
    value: "Значение",
    age: "Обновлено",
    plausible: "Обычный диапазон",
    inChart: "График",
    showInChart: (name) => `Показать на графике: ${name}`,
    privacy: { public: "открытое", internal: "служебное", household: "бытовое" },
    householdHidden: "Измерения в домах жителей вашей роли не показываются.",
    noDatastreams: "На этом объекте ничего не измеряется.",

    chart: "История",
    range: "Период",
    preset: {
      "15m": "15 мин",
      "1h": "1 ч",
      "6h": "6 ч",
      "24h": "24 ч",
      "7d": "7 дней",
      "30d": "30 дней",
    },
    own: "Свой период",
    from: "С",
    to: "По",
    apply: "Показать",
    badRange: "Конец должен быть позже начала, период не длиннее года.",
    zone: (zone) => `Время города (${zone})`,
    loading: "Загружаем историю…",
    failed: "Не удалось получить историю",
    again: "Повторить",
    nothing: "За этот период данных нет.",
    newestIs: (moment) => `Последнее значение: ${moment}.`,
    zoomIn: "Ближе",
    zoomOut: "Дальше",
    reset: "Исходный период",
    dragHelp: "Чтобы приблизить, выделите мышью участок графика.",
    cursor: "Момент на графике",
    table: "Показать таблицей",
    tableRows: (shown, all) => `Показаны последние ${shown} строк из ${all}; все есть в файле CSV.`,
    download: "Скачать CSV",
    time: "Время",
    resolution: {
      raw: "каждое значение",
      "1m": "по минутам",
      "5m": "по 5 минут",
      "15m": "по 15 минут",
      "1h": "по часам",
      "1d": "по дням",
      "1w": "по неделям",
    },
    perBucket: {
      "1m": "за минуту",
      "5m": "за 5 минут",
      "15m": "за 15 минут",
      "1h": "за час",
      "1d": "за день",
      "1w": "за неделю",
    },
    digest: { min: "минимум", mean: "среднее", max: "максимум", last: "последнее" },
    total: (rise) => `всего ${rise}`,
    summary: (name, { min, mean, max, last }) =>
      `${name}: минимум ${min}, среднее ${mean}, максимум ${max}, последнее ${last}.`,
    points: (count) => `точек: ${count}`,
    noneSet: "сигналов нет",
    noPoint: "нет данных",
    limits: "Пороги тревог",
    plausibleLimits: "Обычный диапазон",
    atMost: (count) => `Вместе до ${count} показателей с одинаковой единицей измерения.`,
    bitsInBuckets: "На длинном периоде показаны сигналы на конец каждого отрезка.",
  },
  en: {
    title: "Assets",
    search: "Search",
    searchHint: "Name or key",
    filters: "Filters",
    sort: "Order",
    all: "All",
    onlyAlerting: "Only with alerts",
    clear: "Clear filters",
    shown: (shown, all) => `${shown} of ${all} shown`,
    nothingFits: "No asset fits these filters.",
    column: {
      alerts: "Alert",
      name: "Name",
      kind: "Kind",
      domain: "Domain",
      district: "District",
      status: "Status",
    },
    values: "Values now",
    noMeasurements: "Nothing measured",
    nothingYet: "No data yet",
    staleFor: (age) => `stale, ${age} ago`,
    ago: (age) => `${age} ago`,
    abnormal: "abnormal",

    back: "All assets",
    key: "Key",
    protected: "Protected site",
    protectedHelp: "Open data does not show exactly where it is.",
    onMap: "Show on the map",
    relation: {
      contained_in: "Part of",
      contains: "Contains",
      fed_by: "Fed by",
      feeds: "Feeds",
    },
    more: (count) => `${count} more`,
    unknownTitle: "There is no such asset",
    unknownText: (key) =>
      `No asset has the key “${key}”, or you may not see it. The link may be out of date.`,
    openAlerts: "Alerts that want attention",
    noOpenAlerts: "No alerts.",
    pastAlerts: "Past alerts",
    noPastAlerts: "There have been no others.",
    since: (moment) => `since ${moment}`,
    lasted: (span) => `lasted ${span}`,
    older: "Show earlier ones",
    acknowledgedBy: (name) => `acknowledged by ${name}`,
    measurements: "Measurements",
    property: "Property",
    value: "Value",
    age: "Updated",
    plausible: "Plausible range",
    inChart: "Chart",
    showInChart: (name) => `Show in the chart: ${name}`,
    privacy: { public: "public", internal: "internal", household: "household" },
    householdHidden: "Measurements of households are not shown to your role.",
    noDatastreams: "Nothing is measured at this asset.",

    chart: "History",
    range: "Range",
    preset: {
      "15m": "15 min",
      "1h": "1 h",
      "6h": "6 h",
      "24h": "24 h",
      "7d": "7 days",
      "30d": "30 days",
    },
    own: "Own range",
    from: "From",
    to: "To",
    apply: "Show",
    badRange: "The end must be after the start, and the range no longer than a year.",
    zone: (zone) => `The city's time (${zone})`,
    loading: "Loading history…",
    failed: "The history could not be read",
    again: "Try again",
    nothing: "There is no data in this range.",
    newestIs: (moment) => `The newest value is of ${moment}.`,
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    reset: "Reset zoom",
    dragHelp: "Drag across the chart to zoom.",
    cursor: "Moment in the chart",
    table: "Show as table",
    tableRows: (shown, all) => `The last ${shown} of ${all} rows are shown; the CSV file has all.`,
    download: "Download CSV",
    time: "Time",
    resolution: {
      raw: "every value",
      "1m": "by the minute",
      "5m": "by 5 minutes",
      "15m": "by 15 minutes",
      "1h": "by the hour",
      "1d": "by the day",
      "1w": "by the week",
    },
    perBucket: {
      "1m": "per minute",
      "5m": "per 5 minutes",
      "15m": "per 15 minutes",
      "1h": "per hour",
      "1d": "per day",
      "1w": "per week",
    },
    digest: { min: "min", mean: "mean", max: "max", last: "last" },
    total: (rise) => `${rise} in all`,
    summary: (name, { min, mean, max, last }) =>
      `${name}: min ${min}, mean ${mean}, max ${max}, last ${last}.`,
    points: (count) => `points: ${count}`,
    noneSet: "none set",
    noPoint: "no data",
    limits: "Alert limits",
    plausibleLimits: "Plausible range",
    atMost: (count) => `Up to ${count} together, of the same unit.`,
    bitsInBuckets: "Over a long range, the signals at the end of each interval are shown.",
  },
};
