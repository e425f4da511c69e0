/** The language of the console, chosen by the operator and remembered; else the browser's. */
import { LANGUAGES, type Language, type LocalName } from "./model";

const CHOSEN = "alatau.language";

function begin(): Language {
  const wanted = [localStorage.getItem(CHOSEN), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return (
    LANGUAGES.find((language) => language === wanted.find((tag) => LANGUAGES.includes(tag as Language))) ??
    "kk"
  );
}

class Tongue {
  #current = $state<Language>(begin());

  get current(): Language {
    return this.#current;
  }

  choose(language: Language): void {
    localStorage.setItem(CHOSEN, language);
    this.#current = language;
  }
}

export const tongue = new Tongue();

/** Words of one part of the console: the type makes a missing key an error. */
export type Words<Keys> = Record<Language, Keys>;

/** The part's words in the language of the console; in a component: `const t = $derived(say(shell))`. */
export function say<Keys>(words: Words<Keys>): Keys {
  return words[tongue.current];
}

/** A name of the registry in the language of the console. */
export function named(name: LocalName | null | undefined, otherwise = ""): string {
  return name?.[tongue.current] ?? otherwise;
}
