/** Words of the help page, and of the guide through the first minute. */
import type { Words } from "../lib/language.svelte";
import type { Severity } from "../lib/model";
import type { Step } from "../lib/tour";

export interface TourWords {
  title: string;
  /** Name of each step, for the row of steps. */
  name: Record<Exclude<Step, "done">, string>;
  text: Record<Step, string>;
  open: string;
  close: string;
}

export interface AboutWords {
  title: string;
  signsTitle: string;
  signsLead: string;
  severity: Record<Severity, string>;
  hollow: string;
  normal: string;
  stale: string;
  bold: string;
  overdue: string;
  liveTitle: string;
  live: string[];
  keysTitle: string;
  keysLead: string;
  keysKey: string;
  keysWhat: string;
  /** What each of the keys does, in the order of the page. */
  keys: string[];
  storyTitle: string;
  storyLead: string;
  story: string[];
  again: string;
  dataTitle: string;
  /** What is at each of the addresses, in the order of the page. */
  data: string[];
  licencesTitle: string;
  licenceCode: string;
  licenceData: string;
}

export const tourWords: Words<TourWords> = {
  kk: {
    title: "Алғашқы минут",
    name: { live: "Қала тікелей", alert: "Дабыл келеді", acknowledge: "Қабылдайсыз" },
    text: {
      live: "Қаланың соңғы мәндері жүктелуде. «Тікелей» сөзі шыққанда экран ағымдағы жағдайды көрсетеді.",
      alert:
        "Қала тікелей көрініп тұр, бәрі қалыпты. Көрсетілімде іске қосылғаннан кейін шамамен бір минутта су құбыры жарылады: дабыл өздігінен пайда болады.",
      acknowledge:
        "Дабыл келді. Ашып, не істеу керегін оқыңыз да, «Қабылдадым» түймесін басыңыз: әріптестеріңіз оны сіз алғаныңызды көреді.",
      done: "Дабыл қабылданды. Жағдай қалпына келгенде ол тізімнен өздігінен кетеді. Қалғаны «Анықтама» бетінде.",
    },
    open: "Дабылды ашу",
    close: "Нұсқаулықты жабу",
  },
  ru: {
    title: "Первая минута",
    name: { live: "Город на связи", alert: "Приходит тревога", acknowledge: "Вы квитируете" },
    text: {
      live: "Загружаются последние значения города. Слова «В реальном времени» значат, что на экране текущее состояние.",
      alert:
        "Город на связи, всё в норме. На демонстрации примерно через минуту после запуска прорвёт водовод: тревога появится сама.",
      acknowledge:
        "Пришла тревога. Откройте её, прочитайте, что делать, и нажмите «Квитировать»: коллеги увидят, что ею занялись вы.",
      done: "Тревога квитирована. Когда состояние вернётся к норме, она сама уйдёт из списка. Остальное на странице «Справка».",
    },
    open: "Открыть тревогу",
    close: "Закрыть подсказку",
  },
  en: {
    title: "The first minute",
    name: { live: "The city is live", alert: "An alert arrives", acknowledge: "You acknowledge it" },
    text: {
      live: "The newest values of the city are being read. Once it says “Live”, the screen shows the city as it is now.",
      alert:
        "The city is live, and all is normal. In the demo a water main bursts about a minute after the start: the alert arrives by itself.",
      acknowledge:
        "An alert has arrived. Open it, read what to do, and press “Acknowledge”: your colleagues see that you have taken it.",
      done: "The alert is acknowledged. Once its condition is over, it leaves the list by itself. The rest is on the “Help” page.",
    },
    open: "Open the alert",
    close: "Close the guide",
  },
};

export const about: Words<AboutWords> = {
  kk: {
    title: "Анықтама",
    signsTitle: "Белгілер",
    signsLead: "Қалыптысы сұр. Қанық түс тек дабылда болады, ал маңызын түсі де, пішіні де көрсетеді.",
    severity: {
      critical: "Апаттық: адамдарға не қалаға тікелей қауіп бар, бірден әрекет етіңіз",
      high: "Жоғары: жақын арада апатқа ұласуы мүмкін",
      medium: "Орташа: осы ауысымда шешу керек",
      low: "Төмен: біліп жүру керек, мысалы құрылғы үнсіз",
    },
    hollow: "Қуыс белгі: жағдай аяқталған, бірақ дабылды әлі ешкім қабылдамаған",
    normal: "Сұр: қалыпты",
    stale:
      "Қуыс нүкте және «ескірген» сөзі: құрылғыдан көптен дерек жоқ. Ескірген мән ешқашан дабыл бермейді",
    bold: "Қалың жазу: дабылды әлі ешкім қабылдамаған",
    overdue: "Толтырылған сағат: әрекет ету мерзімі өтіп кеткен",
    liveTitle: "Экран тікелей ме",
    live: [
      "Жоғарғы жолдағы «Тікелей» сөзі сервермен байланыс барын және оның өзі де деректерден қалмағанын білдіреді.",
      "Байланыс үзілсе, он секунд ішінде жолақ шығып, қай уақыттан бері жаңармағанын айтады. Соңғы мәндер экранда қалады, бірақ олар тікелей емес.",
      "Әр мәннің жасы серверлік уақыт бойынша есептеледі: құрылғыңыздың сағаты қате болса да, жасы дұрыс.",
    ],
    keysTitle: "Пернелер",
    keysLead: "Барлығына Tab пернесімен жетуге болады. Дабылдар бетінде:",
    keysKey: "Перне",
    keysWhat: "Не істейді",
    keys: [
      "алдыңғы немесе келесі дабыл",
      "бірінші немесе соңғы дабыл",
      "дабылды ашу",
      "таңдалған дабылды қабылдау (жазып отырғанда істемейді)",
      "дабыл бетінен тізімге оралу",
    ],
    storyTitle: "Көрсетілімнің алғашқы минуты",
    storyLead: "make demo іске қосылғанда не болады:",
    story: [
      "Қала тіріледі: екі жүзге жуық құрылғы дерек жібере бастайды, карта сұр, бәрі қалыпты.",
      "Шамамен бір минуттан кейін «Ынтымақ – Gate» су құбыры жарылады: оның бойындағы нүктелерде қысым күрт түседі.",
      "Бірнеше секундтан соң дабыл келеді: төменгі бұрышта хабар, картада қызыл сегізбұрыш, жоғарыда саны көрінеді.",
      "Дабылды ашыңыз: не болғаны, не істеу керегі, қанша уақыт қалғаны жазылған. Мәннің қалай өзгеріп жатқаны тікелей көрінеді.",
      "«Қабылдадым» түймесін басыңыз, қаласаңыз ескертпе жазыңыз. Барлық экранда кім қабылдағаны көрінеді.",
      "Бір минуттан кейін қысым қалпына келіп, дабыл аяқталады. Қабылданғаны тізімнен кетеді; қабылданбағаны қуыс белгімен қалады: ештеңе назардан тыс қалмайды.",
    ],
    again: "Нұсқаулықты қайта көрсету",
    dataTitle: "Деректер мен API",
    data: [
      "барлық мекенжай, параметр және мысал; интернетсіз де ашылады",
      "әзірлеушілерге: неден бастау керек",
      "ашық деректер, кірусіз",
      "сол деректер OGC SensorThings 1.1 стандартымен",
    ],
    licencesTitle: "Лицензиялар",
    licenceCode: "Бағдарлама коды: Apache License 2.0.",
    licenceData: "Ашық деректер: Creative Commons Attribution 4.0 (CC BY 4.0).",
  },
  ru: {
    title: "Справка",
    signsTitle: "Знаки",
    signsLead:
      "То, что в норме, серое. Насыщенный цвет бывает только у тревог, а важность видна и по цвету, и по форме.",
    severity: {
      critical: "Авария: прямая угроза людям или городу, действовать немедленно",
      high: "Высокая: скоро может перерасти в аварию",
      medium: "Средняя: решить в эту смену",
      low: "Низкая: знать и следить, например молчит прибор",
    },
    hollow: "Пустой знак: состояние вернулось к норме, но тревогу ещё никто не квитировал",
    normal: "Серый: норма",
    stale:
      "Пустая точка и слово «устарело»: от прибора давно нет данных. Устаревшее значение никогда не вызывает тревогу",
    bold: "Жирный шрифт: тревогу ещё никто не квитировал",
    overdue: "Закрашенные часы: срок реагирования прошёл",
    liveTitle: "Текущее ли состояние на экране",
    live: [
      "Слова «В реальном времени» вверху значат, что есть связь с сервером и что сам он не отстаёт от данных.",
      "Если связь пропадёт, не позже чем через десять секунд появится полоса с временем, с которого ничего не обновляется. Последние значения останутся на экране, но они уже не текущие.",
      "Возраст значений считается по часам сервера: он верен, даже если часы вашего устройства врут.",
    ],
    keysTitle: "Клавиши",
    keysLead: "До всего можно дойти клавишей Tab. На странице тревог:",
    keysKey: "Клавиша",
    keysWhat: "Что делает",
    keys: [
      "предыдущая или следующая тревога",
      "первая или последняя тревога",
      "открыть тревогу",
      "квитировать выбранную тревогу (не действует, пока вы пишете)",
      "со страницы тревоги назад к списку",
    ],
    storyTitle: "Первая минута демонстрации",
    storyLead: "Что произойдёт после make demo:",
    story: [
      "Город оживает: около двухсот устройств начинают слать данные, карта серая, всё в норме.",
      "Примерно через минуту прорывает водовод «Ынтымак – Gate»: в точках вдоль него резко падает давление.",
      "Через несколько секунд приходит тревога: сообщение в углу, красный восьмиугольник на карте, число вверху.",
      "Откройте тревогу: там сказано, что случилось, что делать и сколько осталось времени. Видно, как меняется значение.",
      "Нажмите «Квитировать»; если нужно, добавьте заметку. На всех экранах будет видно, кто этим занимается.",
      "Через минуту давление восстановится, и тревога завершится. Квитированная уйдёт из списка, остальные останутся с пустым знаком: ничто не пройдёт незамеченным.",
    ],
    again: "Показать подсказку снова",
    dataTitle: "Данные и API",
    data: [
      "все адреса, параметры и примеры; работает без интернета",
      "разработчикам: с чего начать",
      "открытые данные, без входа",
      "те же данные по стандарту OGC SensorThings 1.1",
    ],
    licencesTitle: "Лицензии",
    licenceCode: "Код: Apache License 2.0.",
    licenceData: "Открытые данные: Creative Commons Attribution 4.0 (CC BY 4.0).",
  },
  en: {
    title: "Help",
    signsTitle: "Signs",
    signsLead:
      "What is normal is grey. Saturated colour is for alerts alone, and severity is told by colour and by shape.",
    severity: {
      critical: "Critical: people or the city are in danger, act at once",
      high: "High: may soon become critical",
      medium: "Medium: to be solved within this shift",
      low: "Low: to be known, such as a silent device",
    },
    hollow: "Hollow sign: the condition is over, but nobody has acknowledged the alert yet",
    normal: "Grey: normal",
    stale:
      "Hollow dot and the word “stale”: the device has not reported for long. A stale value never raises an alert",
    bold: "Bold: nobody has acknowledged the alert yet",
    overdue: "Filled clock: the time to respond has passed",
    liveTitle: "Whether the screen is live",
    live: [
      "The word “Live” at the top means that the server is connected, and that it keeps up with the data itself.",
      "If the connection is lost, a banner says so within ten seconds, and since when. The last values stay on the screen, but they are no longer live.",
      "Ages are counted by the server's clock: they are right even where your device's clock is wrong.",
    ],
    keysTitle: "Keys",
    keysLead: "Everything can be reached with Tab. On the alerts page:",
    keysKey: "Key",
    keysWhat: "What it does",
    keys: [
      "the alert before or after",
      "the first or the last alert",
      "open the alert",
      "acknowledge the chosen alert (not while you are writing)",
      "from an alert's page back to the list",
    ],
    storyTitle: "The demo's first minute",
    storyLead: "What happens after make demo:",
    story: [
      "The city comes to life: about two hundred devices begin to send data, the map is grey, all is normal.",
      "After about a minute the water main Yntymak – Gate bursts: pressure falls sharply at the points along it.",
      "A few seconds later the alert arrives: a note in the corner, a red octagon on the map, a number at the top.",
      "Open the alert: it says what has happened, what to do, and how much time is left. The value moves as you watch.",
      "Press “Acknowledge”; add a note if you like. Every screen shows who has taken it.",
      "After another minute pressure is back, and the alert resolves. What was acknowledged leaves the list; the rest stays, with a hollow sign: nothing goes by unseen.",
    ],
    again: "Show the guide again",
    dataTitle: "Data and API",
    data: [
      "every address, parameter and example; works without the internet",
      "for developers: where to begin",
      "open data, without a login",
      "the same data as OGC SensorThings 1.1",
    ],
    licencesTitle: "Licences",
    licenceCode: "Code: Apache License 2.0.",
    licenceData: "Open data: Creative Commons Attribution 4.0 (CC BY 4.0).",
  },
};
