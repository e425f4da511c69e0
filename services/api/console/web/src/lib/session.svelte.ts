/** Who is at the console. The token lives as long as the browser's tab; it is never in an address that is sent. */
import { Api, ApiError } from "./api";
import type { User } from "./model";

const TOKEN = "alatau.session";

class Session {
  #token = $state<string | null>(null);
  user = $state<User | null>(null);
  /** Whether it ended by itself (time, a new password), so that the login page can say so. */
  ended = $state(false);

  readonly api = new Api({ token: () => this.#token, ended: () => this.#drop(true) });

  get open(): boolean {
    return this.#token !== null;
  }

  /** At start: a sign-in link (`alatau console`: #session=…), or what this tab had. */
  begin(): void {
    const given = new URLSearchParams(location.hash.slice(1)).get("session");
    if (given) {
      history.replaceState(history.state, "", location.pathname + location.search);
      sessionStorage.setItem(TOKEN, given);
    }
    this.#token = sessionStorage.getItem(TOKEN);
  }

  /** Who this is; the session may have ended meanwhile. */
  async recognise(): Promise<void> {
    this.user = await this.api.get<User>("/users/me");
  }

  /** Throws ApiError: 401 for a wrong name or password, 429 after too many. */
  async login(name: string, password: string): Promise<void> {
    const answer = await this.api.post<{ token: string; user: User }>("/login", { name, password });
    sessionStorage.setItem(TOKEN, answer.token);
    this.ended = false;
    this.user = answer.user;
    this.#token = answer.token;
  }

  async logout(): Promise<void> {
    try {
      await this.api.post("/logout");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#drop(false);
    }
  }

  #drop(ended: boolean): void {
    sessionStorage.removeItem(TOKEN);
    this.#token = null;
    this.user = null;
    this.ended = ended;
  }
}

export const session = new Session();
