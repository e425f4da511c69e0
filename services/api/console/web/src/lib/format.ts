/** PURE: numbers, units and times as people read them. */
import type { Language, LocalName, ObservedProperty, Value } from "./model";

export const DASH = "–";

/** Chromium has no data for Kazakh, though it says that it has. Numbers and clocks are written as in Russian; the
 * words of dates and spans are below. */
const LOCALES: Record<Language, string> = { kk: "ru", ru: "ru", en: "en-GB" };
const KAZAKH_MONTHS = "қаң. ақп. нау. сәу. мам. мау. шіл. там. қыр. қаз. қар. жел.".split(" ");
const KAZAKH_UNITS: Record<string, string> = { second: "с", minute: "мин", hour: "сағ", day: "күн" };

/** UCUM codes whose printed form is another; the rest is printed as it is. */
const PRINTED: Record<string, LocalName | string> = {
  "1": "",
  "%": "%",
  "%{LEL}": { kk: "% ТТШ", ru: "% НКПР", en: "% LEL" },
  "[NTU]": "NTU",
  "[pH]": "pH",
  "{vehicles}": { kk: "көлік", ru: "авт.", en: "veh." },
  A: { kk: "А", ru: "А", en: "A" },
  Cel: "°C",
  Hz: { kk: "Гц", ru: "Гц", en: "Hz" },
  MPa: { kk: "МПа", ru: "МПа", en: "MPa" },
  V: { kk: "В", ru: "В", en: "V" },
  "W/m2": { kk: "Вт/м²", ru: "Вт/м²", en: "W/m²" },
  bar: { kk: "бар", ru: "бар", en: "bar" },
  deg: "°",
  hPa: { kk: "гПа", ru: "гПа", en: "hPa" },
  kPa: { kk: "кПа", ru: "кПа", en: "kPa" },
  kV: { kk: "кВ", ru: "кВ", en: "kV" },
  "kV.A{reactive}": { kk: "квар", ru: "квар", en: "kvar" },
  "kV.A{reactive}.h": { kk: "квар·сағ", ru: "квар·ч", en: "kvarh" },
  kW: { kk: "кВт", ru: "кВт", en: "kW" },
  "kW.h": { kk: "кВт·сағ", ru: "кВт·ч", en: "kWh" },
  "km/h": { kk: "км/сағ", ru: "км/ч", en: "km/h" },
  m: { kk: "м", ru: "м", en: "m" },
  "m/s": { kk: "м/с", ru: "м/с", en: "m/s" },
  m3: { kk: "м³", ru: "м³", en: "m³" },
  "m3/h": { kk: "м³/сағ", ru: "м³/ч", en: "m³/h" },
  "mg/L": { kk: "мг/л", ru: "мг/л", en: "mg/L" },
  "mg/m3": { kk: "мг/м³", ru: "мг/м³", en: "mg/m³" },
  mm: { kk: "мм", ru: "мм", en: "mm" },
  "mm/h": { kk: "мм/сағ", ru: "мм/ч", en: "mm/h" },
  "mm/s": { kk: "мм/с", ru: "мм/с", en: "mm/s" },
  "uS/cm": { kk: "мкСм/см", ru: "мкСм/см", en: "µS/cm" },
  "ug/m3": { kk: "мкг/м³", ru: "мкг/м³", en: "µg/m³" },
};

/** A UCUM unit as it is printed. */
export function printedUnit(unit: string, language: Language): string {
  const printed = PRINTED[unit] ?? unit;
  return typeof printed === "string" ? printed : printed[language];
}

const numbers = new Map<string, Intl.NumberFormat>();

/** Four significant digits, never fewer than the whole part: 1,234 · 12.35 · 0.0042. */
export function printedNumber(number: number, language: Language): string {
  const whole = Math.abs(number) >= 1_000;
  const key = `${language}${whole}`;
  let format = numbers.get(key);
  if (!format) {
    format = new Intl.NumberFormat(
      LOCALES[language],
      whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 },
    );
    numbers.set(key, format);
  }
  return format.format(number);
}

/** A value with its unit, or the names of its codes. */
export function printedValue(
  value: Pick<Value, "result" | "codes" | "unit">,
  property: ObservedProperty | undefined,
  language: Language,
): string {
  if (value.codes) {
    const names = value.codes.map(
      (key) => property?.codes.find((code) => code.key === key)?.name[language] ?? key,
    );
    return names.join(", ") || DASH;
  }
  const unit = printedUnit(value.unit, language);
  return unit ? `${printedNumber(value.result, language)} ${unit}` : printedNumber(value.result, language);
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit & string, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];
const spans = new Map<string, Intl.NumberFormat>();

/** A length of time in its largest unit, e.g. "12 s", "3 min"; milliseconds in, negative counts as none. */
export function printedSpan(milliseconds: number, language: Language): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1_000));
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
  const count = Math.floor(seconds / size);
  if (language === "kk") return `${count}\u00a0${KAZAKH_UNITS[unit]}`;
  const key = language + unit;
  let format = spans.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short" });
    spans.set(key, format);
  }
  return format.format(count);
}

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds. */
export function durationOf(iso: string): number {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(iso);
  if (!found) return Number.NaN;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 + (seconds ?? 0) * 1_000;
}

/** Date and time of day in the city. moment: RFC 3339, or Unix milliseconds. */
export function printedMoment(moment: string | number, timeZone: string, language: Language): string {
  const date = new Date(moment);
  if (language !== "kk")
    return new Intl.DateTimeFormat(LOCALES[language], {
      dateStyle: "medium",
      timeStyle: "medium",
      timeZone,
    }).format(date);
  const year = new Intl.DateTimeFormat("en", { year: "numeric", timeZone }).format(date);
  const day = printedDay(moment, timeZone, language);
  return `${year} ж. ${day}, ${printedTime(moment, timeZone, language)}`;
}

/** Day and month in the city, short. */
export function printedDay(moment: string | number, timeZone: string, language: Language): string {
  const date = new Date(moment);
  if (language !== "kk")
    return new Intl.DateTimeFormat(LOCALES[language], { day: "numeric", month: "short", timeZone }).format(
      date,
    );
  const parts = new Intl.DateTimeFormat("en", { month: "numeric", day: "numeric", timeZone }).formatToParts(
    date,
  );
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("day")} ${KAZAKH_MONTHS[Number(part("month")) - 1]}`;
}

/** Time of day in the city, to the second. */
export function printedTime(moment: string | number, timeZone: string, language: Language): string {
  return new Intl.DateTimeFormat(LOCALES[language], { timeStyle: "medium", timeZone }).format(
    new Date(moment),
  );
}
