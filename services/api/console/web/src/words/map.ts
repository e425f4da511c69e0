/** Words of the map. */
import type { Words } from "../lib/language.svelte";
import type { MarkState } from "../lib/map/marks";

interface MapWords {
  title: string;
  canvas: string;
  noWebgl: string;
  noWebglHelp: string;
  attention: string;
  calm: string;
  calmText: string;
  outside: (count: number) => string;
  more: (count: number) => string;
  search: string;
  searchHint: string;
  found: (count: number) => string;
  notFound: string;
  filter: string;
  domains: string;
  district: string;
  showAll: string;
  assets: (count: number) => string;
  legend: string;
  legendMark: Record<MarkState, string>;
  legendNormal: string;
  legendSilent: string;
  legendBuilding: string;
  legendPlanned: string;
  legendLines: string;
  rate: (count: string) => string;
  newest: (age: string) => string;
  noValues: string;
  zoomIn: string;
  zoomOut: string;
  fit: string;
  controls: string;
  scale: (length: string) => string;
  markList: string;
  mark: Record<MarkState, string>;
  card: string;
  alerts: string;
  noAlerts: string;
  values: string;
  noOwnValues: string;
  silent: string;
  allValues: (count: number) => string;
  fedBy: string;
  feeds: string;
  within: string;
  contains: string;
  openAsset: string;
  unknownThing: string;
  unknownThingText: (key: string) => string;
  ago: (age: string) => string;
  began: (age: string) => string;
  /** What tells channels of one property apart; others are written as they are, e.g. L1. */
  channel: Record<string, string>;
}

export const map: Words<MapWords> = {
  kk: {
    title: "Қала картасы",
    canvas: "Қала картасы. Жылжыту – көрсеткі пернелер, масштаб – плюс пен минус.",
    noWebgl: "Бұл браузер картаны сыза алмайды",
    noWebglHelp:
      "Карта үшін WebGL 2 керек: браузер баптауынан аппараттық жеделдетуді қосыңыз немесе басқа браузерді ашыңыз. Тізім, іздеу және нысан карточкалары картасыз да жұмыс істейді.",
    attention: "Назар аудару керек",
    calm: "Бәрі қалыпты",
    calmText: "Назар аударуды қажет ететін дабыл жоқ.",
    outside: (count) => `Сүзгіден тыс дабылдар: ${count}`,
    more: (count) => `Тағы ${count}: барлық дабылдар`,
    search: "Нысанды табу",
    searchHint: "Атауы немесе кілті",
    found: (count) => `Табылды: ${count}`,
    notFound: "Ештеңе табылмады",
    filter: "Нені көрсету",
    domains: "Салалар",
    district: "Аудан",
    showAll: "Бәрін көрсету",
    assets: (count) => `${count} нысан`,
    legend: "Шартты белгілер",
    legendMark: {
      new: "Жиекті: белсенді, қабылданбаған",
      known: "Жиексіз: белсенді, қабылданған",
      over: "Іші бос: аяқталған, қабылданбаған",
    },
    legendNormal: "Қалыпты жұмыс істеп тұр",
    legendSilent: "Үнсіз: жаңа мән келмейді",
    legendBuilding: "Салынуда",
    legendPlanned: "Жоспарда",
    legendLines: "Желілер",
    rate: (count) => `${count} мән/мин`,
    newest: (age) => `соңғысы ${age} бұрын`,
    noValues: "Жаңа мәндер әлі келген жоқ",
    zoomIn: "Үлкейту",
    zoomOut: "Кішірейту",
    fit: "Бүкіл қала",
    controls: "Картаны басқару",
    scale: (length) => `Масштаб: ${length}`,
    markList: "Картада белгіленген дабылдар",
    mark: {
      new: "белсенді, қабылданбаған",
      known: "белсенді, қабылданған",
      over: "аяқталған, қабылданбаған",
    },
    card: "Таңдалған нысан",
    alerts: "Дабылдар",
    noAlerts: "Дабыл жоқ.",
    values: "Соңғы мәндер",
    noOwnValues: "Бұл нысанның өз өлшемдері жоқ.",
    silent: "Үнсіз: жаңа мән келмейді",
    allValues: (count) => `Барлық мәндер: ${count}`,
    fedBy: "Қоректендіреді",
    feeds: "Осыдан қоректенеді",
    within: "Құрамында тұр",
    contains: "Құрамы",
    openAsset: "Нысан беті",
    unknownThing: "Мұндай нысан жоқ",
    unknownThingText: (key) => `«${key}» кілтімен нысан табылмады немесе оны көруге рұқсатыңыз жоқ.`,
    ago: (age) => `${age} бұрын`,
    began: (age) => `${age} бұрын басталды`,
    channel: {
      e: "шығыс жақ",
      n: "солтүстік жақ",
      s: "оңтүстік жақ",
      w: "батыс жақ",
      suction: "сору жағында",
      discharge: "айдау жағында",
      inflow: "кіретін",
      outflow: "шығатын",
    },
  },
  ru: {
    title: "Карта города",
    canvas: "Карта города. Стрелки – сдвиг, плюс и минус – масштаб.",
    noWebgl: "Этот браузер не может нарисовать карту",
    noWebglHelp:
      "Карте нужен WebGL 2: включите аппаратное ускорение в настройках браузера или откройте другой браузер. Список, поиск и карточки объектов работают и без карты.",
    attention: "Требует внимания",
    calm: "Всё спокойно",
    calmText: "Тревог, требующих внимания, нет.",
    outside: (count) => `Тревог вне фильтра: ${count}`,
    more: (count) => `Ещё ${count}: все тревоги`,
    search: "Найти объект",
    searchHint: "Название или ключ",
    found: (count) => `Найдено: ${count}`,
    notFound: "Ничего не найдено",
    filter: "Что показывать",
    domains: "Отрасли",
    district: "Район",
    showAll: "Показать всё",
    assets: (count) => `объектов: ${count}`,
    legend: "Условные знаки",
    legendMark: {
      new: "С обводкой: активна, не квитирована",
      known: "Без обводки: активна, квитирована",
      over: "Пустой знак: завершена, не квитирована",
    },
    legendNormal: "Работает нормально",
    legendSilent: "Молчит: новых значений нет",
    legendBuilding: "Строится",
    legendPlanned: "Планируется",
    legendLines: "Сети",
    rate: (count) => `${count} знач./мин`,
    newest: (age) => `последнее ${age} назад`,
    noValues: "Новых значений пока нет",
    zoomIn: "Приблизить",
    zoomOut: "Отдалить",
    fit: "Весь город",
    controls: "Управление картой",
    scale: (length) => `Масштаб: ${length}`,
    markList: "Тревоги, отмеченные на карте",
    mark: {
      new: "активна, не квитирована",
      known: "активна, квитирована",
      over: "завершена, не квитирована",
    },
    card: "Выбранный объект",
    alerts: "Тревоги",
    noAlerts: "Тревог нет.",
    values: "Последние значения",
    noOwnValues: "У этого объекта нет собственных измерений.",
    silent: "Молчит: новых значений нет",
    allValues: (count) => `Все значения: ${count}`,
    fedBy: "Питается от",
    feeds: "Питает",
    within: "Входит в",
    contains: "Состав",
    openAsset: "Страница объекта",
    unknownThing: "Такого объекта нет",
    unknownThingText: (key) => `Объект с ключом «${key}» не найден или у вас нет к нему доступа.`,
    ago: (age) => `${age} назад`,
    began: (age) => `началась ${age} назад`,
    channel: {
      e: "восток",
      n: "север",
      s: "юг",
      w: "запад",
      suction: "на всасывании",
      discharge: "на нагнетании",
      inflow: "приток",
      outflow: "отток",
    },
  },
  en: {
    title: "Map of the city",
    canvas: "Map of the city. Arrow keys move it, plus and minus zoom.",
    noWebgl: "This browser cannot draw the map",
    noWebglHelp:
      "The map needs WebGL 2: switch on hardware acceleration in the browser's settings, or open another browser. The list, the search and the cards of things work without it.",
    attention: "Wants attention",
    calm: "All is calm",
    calmText: "No alert wants attention.",
    outside: (count) => `Alerts outside the filter: ${count}`,
    more: (count) => `${count} more: all alerts`,
    search: "Find an asset",
    searchHint: "Name or key",
    found: (count) => `Found: ${count}`,
    notFound: "Nothing found",
    filter: "What to show",
    domains: "Domains",
    district: "District",
    showAll: "Show all",
    assets: (count) => `assets: ${count}`,
    legend: "Legend",
    legendMark: {
      new: "Outlined: firing, not acknowledged",
      known: "Not outlined: firing, acknowledged",
      over: "Hollow: resolved, not acknowledged",
    },
    legendNormal: "Works normally",
    legendSilent: "Silent: no new values",
    legendBuilding: "Under construction",
    legendPlanned: "Planned",
    legendLines: "Networks",
    rate: (count) => `${count} values/min`,
    newest: (age) => `newest ${age} ago`,
    noValues: "No new values yet",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    fit: "Whole city",
    controls: "Map controls",
    scale: (length) => `Scale: ${length}`,
    markList: "Alerts marked on the map",
    mark: {
      new: "firing, not acknowledged",
      known: "firing, acknowledged",
      over: "resolved, not acknowledged",
    },
    card: "Chosen asset",
    alerts: "Alerts",
    noAlerts: "No alerts.",
    values: "Newest values",
    noOwnValues: "This asset has no measurements of its own.",
    silent: "Silent: no new values",
    allValues: (count) => `All values: ${count}`,
    fedBy: "Fed by",
    feeds: "Feeds",
    within: "Part of",
    contains: "Contains",
    openAsset: "Asset page",
    unknownThing: "There is no such asset",
    unknownThingText: (key) => `No asset has the key “${key}”, or you may not see it.`,
    ago: (age) => `${age} ago`,
    began: (age) => `began ${age} ago`,
    channel: {
      e: "east",
      n: "north",
      s: "south",
      w: "west",
      suction: "at the inlet",
      discharge: "at the outlet",
      inflow: "in",
      outflow: "out",
    },
  },
};
