/** Words of the page that watches one device. */
import type { Words } from "../lib/language.svelte";

export interface WatchWords {
  title: string;
  lead: string;
  live: string;
  notLive: string;
  pause: string;
  go: string;
  report: string;
  reportHelp: string;
  print: string;
  messages: (count: number) => string;
  waiting: string;
  waitingHelp: string;
  receipt: string;
  settledTo: (number: number | null) => string;
  batch: (number: number, milliseconds: number) => string;
  bytes: (count: number, qos: number) => string;
  raw: string;
  engineers: string;
  check: string;
  verdict: string;
  measured: string;
}

export const watchWords: Words<WatchWords> = {
  kk: {
    title: "Құрылғыны бақылау",
    lead: "Әр хабардың жолы: келді, оқылды, тексерілді, сақталды, түбіртек берілді.",
    live: "Тікелей",
    notLive: "Қосылуда…",
    pause: "Тоқтата тұру",
    go: "Жалғастыру",
    report: "Сәйкестік есебі",
    reportHelp: "Өндірушіге арналған: соңғы он минутта бақыланған хабарлар бойынша.",
    print: "Басып шығару",
    messages: (count) => `Хабарлар: ${count}`,
    waiting: "Хабар күтілуде",
    waitingHelp: "Құрылғы бірдеңе жібергенде, ол осында пайда болады.",
    receipt: "Түбіртек",
    settledTo: (number) => (number === null ? "нөмірлер әлі жабылмаған" : `${number} нөміріне дейін жабылды`),
    batch: (number, milliseconds) => `${number}-топтама, ${milliseconds} мс`,
    bytes: (count, qos) => `${count} байт, QoS ${qos}`,
    raw: "Бастапқы түрі",
    engineers:
      "Құрылғыларды инженерлер ғана бақылай алады: хабарларда үй шаруашылықтарының деректері болуы мүмкін.",
    check: "Тексеру",
    verdict: "Нәтиже",
    measured: "Өлшенгені",
  },
  ru: {
    title: "Наблюдение за устройством",
    lead: "Путь каждого сообщения: получено, прочитано, проверено, сохранено, выдана квитанция.",
    live: "В реальном времени",
    notLive: "Подключение…",
    pause: "Приостановить",
    go: "Продолжить",
    report: "Отчёт о соответствии",
    reportHelp: "Для изготовителя: по сообщениям, замеченным за последние десять минут.",
    print: "Напечатать",
    messages: (count) => `Сообщений: ${count}`,
    waiting: "Ждём сообщений",
    waitingHelp: "Когда устройство что-нибудь пришлёт, это появится здесь.",
    receipt: "Квитанция",
    settledTo: (number) => (number === null ? "номера ещё не закрыты" : `закрыто до номера ${number}`),
    batch: (number, milliseconds) => `пакет ${number}, ${milliseconds} мс`,
    bytes: (count, qos) => `${count} байт, QoS ${qos}`,
    raw: "Исходный вид",
    engineers: "За устройствами наблюдают только инженеры: в сообщениях могут быть данные домохозяйств.",
    check: "Проверка",
    verdict: "Результат",
    measured: "Измерено",
  },
  en: {
    title: "Watching a device",
    lead: "The way of each message: received, decoded, checked, committed, receipted.",
    live: "Live",
    notLive: "Connecting…",
    pause: "Pause",
    go: "Go on",
    report: "Conformance report",
    reportHelp: "For its maker: judged from what was watched in the last ten minutes.",
    print: "Print",
    messages: (count) => `${count} ${count === 1 ? "message" : "messages"}`,
    waiting: "Waiting for messages",
    waitingHelp: "What the device sends appears here.",
    receipt: "Receipt",
    settledTo: (number) => (number === null ? "no number settled yet" : `settled through ${number}`),
    batch: (number, milliseconds) => `batch ${number}, ${milliseconds} ms`,
    bytes: (count, qos) => `${count} bytes, QoS ${qos}`,
    raw: "As it came",
    engineers: "Only engineers watch devices: messages may hold data of households.",
    check: "Check",
    verdict: "Verdict",
    measured: "Measured",
  },
};
