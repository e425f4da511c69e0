import { describe, expect, it } from "vitest";
import { thing } from "./thing.fixture";
import { search, searchable } from "./search";

const named = (key: string, kk: string, ru: string, en: string) => thing(key, { name: { kk, ru, en } });
const entries = searchable(
  [
    named("arna", "«Арна» қосалқы станциясы", "ПС «Арна»", "Arna substation"),
    named("arna-at-1", "«Арна»: АТ-1", "«Арна»: АТ-1", "Arna: AT-1"),
    named("kaskelen", "Қаскелең су тартқысы", "Водозабор «Каскелен»", "Kaskelen intake"),
    named("well-arna", "Ұңғыма", "Скважина у Арны, счётчик", "Well near Arna"),
  ],
  (kind) => [kind, "Насос"],
);

describe("search", () => {
  it.each([
    ["arna", "arna"],
    ["АРНА", "arna"],
    ["қаск", "kaskelen"],
    ["водозабор", "kaskelen"],
    ["счетчик", "well-arna"],
    ["arna at", "arna-at-1"],
    ["станция арна", "arna"],
  ])("%s finds %s first", (query, key) => expect(search(entries, query, 5)[0]).toBe(key));

  it("wants every word", () => expect(search(entries, "arna kaskelen", 5)).toEqual([]));
  it("finds by kind, in any language", () => expect(search(entries, "насос", 10)).toHaveLength(4));
  it("gives no more than asked for", () => expect(search(entries, "насос", 2)).toHaveLength(2));
  it.each(["", "   ", "«»"])("finds nothing for nothing: %j", (query) =>
    expect(search(entries, query, 5)).toEqual([]),
  );
});
