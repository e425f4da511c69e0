/** PURE: finding a thing by its name in any language, its key or its kind. */
import { LANGUAGES, type Thing } from "../model";

export interface Found {
  key: string;
  text: string;
  start: string[];
}

/** Made once for a registry. */
export function searchable(
  things: Iterable<Thing>,
  kindNames: (kind: string) => readonly string[],
): readonly Found[] {
  return [...things].map((thing) => {
    const names = LANGUAGES.map((language) => plain(thing.name[language]));
    return {
      key: thing.key,
      start: [thing.key.toLowerCase(), ...names],
      text: plain([thing.key, ...names, ...kindNames(thing.kind)].join(" ")),
    };
  });
}

/** Keys of the things that have every word, the best first: begins with it, then has a word that begins with it. */
export function search(entries: readonly Found[], query: string, limit: number): string[] {
  const wanted = plain(query);
  const words = wanted.split(" ").filter(Boolean);
  if (!words.length) return [];
  return entries
    .map((entry) => ({ key: entry.key, rank: rankOf(entry, wanted, words) }))
    .filter(({ rank }) => rank < 9)
    .sort((one, other) => one.rank - other.rank || (one.key < other.key ? -1 : 1))
    .slice(0, limit)
    .map(({ key }) => key);
}

function rankOf(entry: Found, wanted: string, words: readonly string[]): number {
  if (!words.every((word) => entry.text.includes(word))) return 9;
  if (entry.start.includes(wanted)) return 0;
  if (entry.start.some((name) => name.startsWith(wanted))) return 1;
  return words.every((word) => ` ${entry.text}`.includes(` ${word}`)) ? 2 : 3;
}

/** Quotes and signs are not typed by anybody in a hurry; neither is ё. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replaceAll("ё", "е")
    .replace(/[^\p{L}\p{N}/-]+/gu, " ")
    .trim();
}
