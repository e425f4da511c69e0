/** Light, dark, or as the machine has it. */

export type Theme = "auto" | "light" | "dark";
export const THEMES: readonly Theme[] = ["auto", "light", "dark"];

const CHOSEN = "alatau.theme";
const machine = matchMedia("(prefers-color-scheme: dark)");

class Look {
  #theme = $state<Theme>(THEMES.find((theme) => theme === localStorage.getItem(CHOSEN)) ?? "auto");
  #machineDark = $state(machine.matches);
  readonly dark = $derived(this.#theme === "auto" ? this.#machineDark : this.#theme === "dark");

  constructor() {
    machine.addEventListener("change", () => (this.#machineDark = machine.matches));
  }

  get theme(): Theme {
    return this.#theme;
  }

  choose(theme: Theme): void {
    localStorage.setItem(CHOSEN, theme);
    this.#theme = theme;
  }
}

export const look = new Look();
