import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../lib/model";

type Leaf = string | ((...words: never[]) => string);
interface Tree {
  [key: string]: Leaf | Tree;
}

/** Every text of a tree, with the way to it. A text that takes words is asked with 1, 2 and 5. */
function texts(tree: Tree, way = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, leaf] of Object.entries(tree)) {
    const here = way ? `${way}.${key}` : key;
    if (typeof leaf === "string") found.set(here, leaf);
    else if (typeof leaf === "function")
      for (const number of [1, 2, 5])
        found.set(`${here}(${number})`, leaf(...([number, number, number] as never[])));
    else for (const [more, text] of texts(leaf, here)) found.set(more, text);
  }
  return found;
}

const modules = import.meta.glob<Record<string, Record<string, Tree>>>(["./*.ts", "!./*.test.ts"], {
  eager: true,
});
const parts = Object.entries(modules).flatMap(([file, module]) =>
  Object.entries(module)
    .filter(([, words]) => LANGUAGES.every((language) => typeof words === "object" && language in words))
    .map(([name, words]) => [`${file} ${name}`, words] as const),
);

describe("words", () => {
  it("are found", () => expect(parts.length).toBeGreaterThan(0));

  it.each(parts)("%s: the same keys in every language, none empty", (_name, words) => {
    const [first, ...others] = LANGUAGES.map((language) => texts(words[language] ?? {}));
    for (const other of others) expect([...other.keys()].sort()).toEqual([...(first?.keys() ?? [])].sort());
    for (const all of [first, ...others])
      for (const [key, text] of all ?? []) expect(text.trim(), key).not.toBe("");
  });

  it.each(parts)("%s: Kazakh and Russian are written in their own script", (_name, words) => {
    for (const language of ["kk", "ru"] as const)
      for (const [key, text] of texts(words[language] ?? {}))
        if (
          /[A-Za-z]{4,}/.test(
            text.replace(/[\w/.-]*(alatau|make|docs|api|http|city|sta|console|deploy)[\w/.-]*/gi, ""),
          ) &&
          !/[Ѐ-ӿ]/.test(text)
        )
          expect.fail(`${language} ${key}: ${text}`);
  });
});
