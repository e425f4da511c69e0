/** PURE: what the kinds of things are called. A city may have kinds of its own: they keep their key. */
import type { Language } from "../lib/model";

type Kind =
  | "aeration_tank"
  | "agds"
  | "air_station"
  | "carriageway"
  | "clarifier"
  | "collector"
  | "feeder"
  | "gas_main"
  | "gas_regulator"
  | "inlet"
  | "intake"
  | "intersection"
  | "lift_station"
  | "line"
  | "measuring_point"
  | "metering_point"
  | "outlet"
  | "overpass"
  | "pressure_zone"
  | "pump"
  | "pump_station"
  | "reservoir"
  | "road"
  | "substation"
  | "transformer"
  | "transformer_point"
  | "wastewater_works"
  | "water_main"
  | "weather_station"
  | "well";

export const kinds: Record<Language, Record<Kind, string>> = {
  kk: {
    aeration_tank: "Аэротенк",
    agds: "Автоматты газ тарату станциясы (АГТС)",
    air_station: "Ауа сапасын бақылау бекеті",
    carriageway: "Жүру бөлігі",
    clarifier: "Тұндырғыш",
    collector: "Кәріз коллекторы",
    feeder: "Фидер",
    gas_main: "Газ құбыры",
    gas_regulator: "Газ реттеу пункті (ГРП)",
    inlet: "Кіріс ағын",
    intake: "Су тартқы",
    intersection: "Жол қиылысы",
    lift_station: "Кәріз сорғы станциясы (КСС)",
    line: "Электр беру желісі",
    measuring_point: "Өлшеу нүктесі",
    metering_point: "Есепке алу нүктесі",
    outlet: "Шығыс ағын",
    overpass: "Жол өтпесі",
    pressure_zone: "Қысым аймағы",
    pump: "Сорғы",
    pump_station: "Сорғы станциясы",
    reservoir: "Таза су резервуары",
    road: "Жол",
    substation: "Қосалқы станция",
    transformer: "Трансформатор",
    transformer_point: "Трансформаторлық пункт (ТП)",
    wastewater_works: "Кәріз тазарту құрылыстары",
    water_main: "Магистральдық су құбыры",
    weather_station: "Метеостанция",
    well: "Ұңғыма",
  },
  ru: {
    aeration_tank: "Аэротенк",
    agds: "Автоматическая газораспределительная станция (АГРС)",
    air_station: "Пост контроля воздуха",
    carriageway: "Проезжая часть",
    clarifier: "Отстойник",
    collector: "Канализационный коллектор",
    feeder: "Фидер",
    gas_main: "Газопровод",
    gas_regulator: "Газорегуляторный пункт (ГРП)",
    inlet: "Приёмная камера",
    intake: "Водозабор",
    intersection: "Перекрёсток",
    lift_station: "Канализационная насосная станция (КНС)",
    line: "Линия электропередачи",
    measuring_point: "Точка измерения",
    metering_point: "Точка учёта",
    outlet: "Выпуск",
    overpass: "Путепровод",
    pressure_zone: "Зона давления",
    pump: "Насос",
    pump_station: "Насосная станция",
    reservoir: "Резервуар чистой воды",
    road: "Дорога",
    substation: "Подстанция",
    transformer: "Трансформатор",
    transformer_point: "Трансформаторный пункт (ТП)",
    wastewater_works: "Канализационные очистные сооружения",
    water_main: "Магистральный водовод",
    weather_station: "Метеостанция",
    well: "Скважина",
  },
  en: {
    aeration_tank: "Aeration tank",
    agds: "Gas distribution station",
    air_station: "Air quality station",
    carriageway: "Carriageway",
    clarifier: "Clarifier",
    collector: "Sewer collector",
    feeder: "Feeder",
    gas_main: "Gas main",
    gas_regulator: "Gas regulator",
    inlet: "Inlet",
    intake: "Water intake",
    intersection: "Intersection",
    lift_station: "Sewage lift station",
    line: "Power line",
    measuring_point: "Measuring point",
    metering_point: "Metering point",
    outlet: "Outlet",
    overpass: "Overpass",
    pressure_zone: "Pressure zone",
    pump: "Pump",
    pump_station: "Pumping station",
    reservoir: "Clean water reservoir",
    road: "Road",
    substation: "Substation",
    transformer: "Transformer",
    transformer_point: "Transformer point",
    wastewater_works: "Wastewater treatment works",
    water_main: "Trunk water main",
    weather_station: "Weather station",
    well: "Well",
  },
};

/** A kind as people read it. */
export function kindName(kind: string, language: Language): string {
  const own: Record<string, string> = kinds[language];
  return own[kind] ?? kind.replaceAll("_", " ");
}
