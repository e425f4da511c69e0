/** Words that surround every view. */
import type { Words } from "../lib/language.svelte";
import type { AlertClass, AlertState, Quality, Severity, Thing } from "../lib/model";
import type { Theme } from "../lib/theme.svelte";

export interface ShellWords {
  title: string;
  skip: string;
  navigation: string;
  map: string;
  alerts: string;
  assets: string;
  rejected: string;
  ledger: string;
  about: string;
  developers: string;
  language: string;
  languageName: string;
  themeTitle: string;
  theme: Record<Theme, string>;
  live: string;
  connecting: string;
  notLive: string;
  /** since: a time of day. */
  notLiveSince: (since: string) => string;
  notLiveHelp: string;
  firing: (count: number) => string;
  logout: string;
  loginLead: string;
  name: string;
  password: string;
  login: string;
  loginWrong: string;
  loginOften: string;
  loginUnreachable: string;
  loginEnded: string;
  loginHelp: string;
  loading: string;
  failedTitle: string;
  failedHelp: string;
  again: string;
  nowhereTitle: string;
  nowhereText: string;
  home: string;
  emptyTitle: string;
  emptyLead: string;
  emptyCity: string;
  emptyDevices: string;
  emptyLook: string;
  close: string;
  severity: Record<Severity, string>;
  state: Record<AlertState, string>;
  alertClass: Record<AlertClass, string>;
  quality: Record<Quality, string>;
  status: Record<Thing["status"], string>;
  /** By key of a domain. */
  domain: Record<string, string>;
  wholeCity: string;
}

export const shell: Words<ShellWords> = {
  kk: {
    title: "Оператор консолі",
    skip: "Мазмұнға өту",
    navigation: "Негізгі бөлімдер",
    map: "Карта",
    alerts: "Дабылдар",
    assets: "Нысандар",
    rejected: "Қабылданбағандар",
    ledger: "Есеп",
    about: "Анықтама",
    developers: "API және ашық деректер",
    language: "Тіл",
    languageName: "Қазақша",
    themeTitle: "Түс",
    theme: { auto: "Құрылғыдағыдай", light: "Ашық", dark: "Қараңғы" },
    live: "Тікелей",
    connecting: "Қосылуда…",
    notLive: "Тікелей емес",
    notLiveSince: (since) => `Экрандағы деректер тікелей емес: ${since} бастап жаңармайды.`,
    notLiveHelp:
      "Сервермен байланыс үзілді. Қайта қосылу өздігінен жүреді; шұғыл істі телефонмен тексеріңіз.",
    firing: (count) => `Назар күтетін дабылдар: ${count}`,
    logout: "Шығу",
    loginLead: "Қаланың жағдайын көру және дабылдарды қабылдау үшін кіріңіз.",
    name: "Аты",
    password: "Құпиясөз",
    login: "Кіру",
    loginWrong: "Аты немесе құпиясөзі қате.",
    loginOften: "Тым көп әрекет жасалды. Бір минуттан кейін қайталаңыз.",
    loginUnreachable: "Сервер жауап бермейді. Сәл кейін қайталаңыз; не болғанын «alatau doctor» айтады.",
    loginEnded: "Сеанс аяқталды. Қайта кіріңіз.",
    loginHelp: "Құпиясөзді әкімші береді. Көрсетілім кезінде бірден кіру: alatau console",
    loading: "Қала жүктелуде…",
    failedTitle: "Қала туралы деректер алынбады",
    failedHelp: "Сервер мен дерекқордың жұмысын тексеріңіз: alatau status, alatau doctor.",
    again: "Қайталау",
    nowhereTitle: "Мұнда ештеңе жоқ",
    nowhereText: "Мұндай бет жоқ. Сілтеме ескірген немесе қате терілген болуы мүмкін.",
    home: "Картаға өту",
    emptyTitle: "Қала әлі қосылмаған",
    emptyLead: "Платформа жұмыс істеп тұр, бірақ қай қаланы көрсету керегін білмейді. Келесі үш қадам:",
    emptyCity: "Қала файлын қолданыңыз: аудандар, нысандар, құрылғылар мен өлшемдер.",
    emptyDevices: "Жариялайтын құрылғыларға кілт беріңіз.",
    emptyLook: "Осы бетке оралыңыз: қала өздігінен пайда болады.",
    close: "Жабу",
    severity: { critical: "Апаттық", high: "Жоғары", medium: "Орташа", low: "Төмен" },
    state: { inactive: "Белсенді емес", pending: "Күтуде", firing: "Белсенді", resolved: "Аяқталған" },
    alertClass: { process: "Қала", equipment: "Жабдық", platform: "Платформа" },
    quality: {
      good: "Жақсы",
      unknown: "Тексерілмеген",
      suspect: "Күмәнді",
      fail: "Жарамсыз",
      missing: "Жоқ",
    },
    status: { planned: "Жоспарда", under_construction: "Салынуда", operating: "Жұмыс істеп тұр" },
    domain: {
      power: "Электр",
      water: "Су",
      wastewater: "Кәріз",
      gas: "Газ",
      traffic: "Қозғалыс",
      environment: "Қоршаған орта",
      platform: "Платформа",
    },
    wholeCity: "Бүкіл қала",
  },
  ru: {
    title: "Консоль оператора",
    skip: "К содержанию",
    navigation: "Основные разделы",
    map: "Карта",
    alerts: "Тревоги",
    assets: "Объекты",
    rejected: "Отклонённые",
    ledger: "Учёт",
    about: "Справка",
    developers: "API и открытые данные",
    language: "Язык",
    languageName: "Русский",
    themeTitle: "Оформление",
    theme: { auto: "Как на устройстве", light: "Светлое", dark: "Тёмное" },
    live: "В реальном времени",
    connecting: "Подключение…",
    notLive: "Данные не обновляются",
    notLiveSince: (since) => `На экране не текущее состояние: данные не обновляются с ${since}.`,
    notLiveHelp: "Связь с сервером прервана. Подключение восстановится само; срочное проверьте по телефону.",
    firing: (count) => `Тревог, ждущих внимания: ${count}`,
    logout: "Выйти",
    loginLead: "Войдите, чтобы видеть состояние города и работать с тревогами.",
    name: "Имя",
    password: "Пароль",
    login: "Войти",
    loginWrong: "Неверное имя или пароль.",
    loginOften: "Слишком много попыток. Повторите через минуту.",
    loginUnreachable: "Сервер не отвечает. Повторите немного позже; что случилось, скажет «alatau doctor».",
    loginEnded: "Сеанс закончился. Войдите снова.",
    loginHelp: "Пароль даёт администратор. На демонстрации войти сразу: alatau console",
    loading: "Загружаем город…",
    failedTitle: "Не удалось получить данные о городе",
    failedHelp: "Проверьте работу сервера и базы данных: alatau status, alatau doctor.",
    again: "Повторить",
    nowhereTitle: "Здесь ничего нет",
    nowhereText: "Такой страницы нет. Возможно, ссылка устарела или набрана с ошибкой.",
    home: "К карте",
    emptyTitle: "Город ещё не подключён",
    emptyLead: "Платформа работает, но не знает, какой город показывать. Дальше три шага:",
    emptyCity: "Примените файл города: районы, объекты, устройства и измерения.",
    emptyDevices: "Выдайте ключи устройствам, которые публикуют данные.",
    emptyLook: "Вернитесь на эту страницу: город появится сам.",
    close: "Закрыть",
    severity: { critical: "Авария", high: "Высокая", medium: "Средняя", low: "Низкая" },
    state: { inactive: "Неактивна", pending: "Ожидание", firing: "Активна", resolved: "Завершена" },
    alertClass: { process: "Город", equipment: "Оборудование", platform: "Платформа" },
    quality: {
      good: "Хорошее",
      unknown: "Не проверено",
      suspect: "Сомнительное",
      fail: "Негодное",
      missing: "Нет",
    },
    status: { planned: "Планируется", under_construction: "Строится", operating: "Работает" },
    domain: {
      power: "Электроснабжение",
      water: "Вода",
      wastewater: "Водоотведение",
      gas: "Газ",
      traffic: "Движение",
      environment: "Среда",
      platform: "Платформа",
    },
    wholeCity: "Весь город",
  },
  en: {
    title: "Operator console",
    skip: "Skip to content",
    navigation: "Main parts",
    map: "Map",
    alerts: "Alerts",
    assets: "Assets",
    rejected: "Rejected",
    ledger: "Ledger",
    about: "Help",
    developers: "API and open data",
    language: "Language",
    languageName: "English",
    themeTitle: "Appearance",
    theme: { auto: "As the device", light: "Light", dark: "Dark" },
    live: "Live",
    connecting: "Connecting…",
    notLive: "Not live",
    notLiveSince: (since) => `This screen is not live: nothing has been updated since ${since}.`,
    notLiveHelp:
      "The connection to the server is lost. It comes back by itself; check what is urgent by telephone.",
    firing: (count) => `Alerts that want attention: ${count}`,
    logout: "Log out",
    loginLead: "Log in to see the state of the city and to work on alerts.",
    name: "Name",
    password: "Password",
    login: "Log in",
    loginWrong: "The name or the password is wrong.",
    loginOften: "Too many attempts. Try again in a minute.",
    loginUnreachable:
      "The server does not answer. Try again in a moment; “alatau doctor” tells what is wrong.",
    loginEnded: "The session has ended. Log in again.",
    loginHelp: "Your administrator gives you the password. In the demo, sign in at once with: alatau console",
    loading: "Loading the city…",
    failedTitle: "The city could not be read",
    failedHelp: "Check that the server and its database work: alatau status, alatau doctor.",
    again: "Try again",
    nowhereTitle: "There is nothing here",
    nowhereText: "There is no such page. The link may be old or mistyped.",
    home: "Go to the map",
    emptyTitle: "No city yet",
    emptyLead: "The platform runs, but does not know which city to show. Three steps are left:",
    emptyCity: "Apply a city file: districts, things, devices and what they measure.",
    emptyDevices: "Give credentials to the devices that publish.",
    emptyLook: "Come back to this page: the city appears by itself.",
    close: "Close",
    severity: { critical: "Critical", high: "High", medium: "Medium", low: "Low" },
    state: { inactive: "Inactive", pending: "Pending", firing: "Firing", resolved: "Resolved" },
    alertClass: { process: "City", equipment: "Equipment", platform: "Platform" },
    quality: { good: "Good", unknown: "Not checked", suspect: "Suspect", fail: "Bad", missing: "Missing" },
    status: { planned: "Planned", under_construction: "Under construction", operating: "Operating" },
    domain: {
      power: "Power",
      water: "Water",
      wastewater: "Wastewater",
      gas: "Gas",
      traffic: "Traffic",
      environment: "Environment",
      platform: "Platform",
    },
    wholeCity: "Whole city",
  },
};
