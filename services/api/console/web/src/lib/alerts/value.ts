/** PURE: the value that an alert carries, as people read it. */
import { DASH, printedValue } from "../format";
import type { Language, ObservedProperty } from "../model";

/** Of a state its code, of bits all that are set. */
function codesOf(result: number, property: ObservedProperty): string[] | undefined {
  if (property.kind === "state")
    return property.codes.filter((code) => code.value === result).map((code) => code.key);
  // Bits may be weighted beyond 2^31, where & would go wrong.
  if (property.kind === "bits")
    return property.codes.filter((code) => Math.floor(result / code.value) % 2 === 1).map((code) => code.key);
  return undefined;
}

export function printedResult(
  result: number | null,
  property: ObservedProperty | undefined,
  language: Language,
): string {
  if (result === null) return DASH;
  const codes = property && codesOf(result, property);
  return printedValue(
    { result, unit: property?.unit ?? "1", ...(codes ? { codes } : {}) },
    property,
    language,
  );
}
