/** PURE: work that is wanted often and done at most every so often. */

/** Calls work at once, then at most once in every span of milliseconds, always after the last call. */
export class Paced {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #wanted = false;

  constructor(
    private readonly work: () => void,
    private readonly span: number,
  ) {}

  want(): void {
    this.#wanted = true;
    if (this.#timer === null) this.#run();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#wanted = false;
  }

  #run(): void {
    this.#timer = null;
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#timer = setTimeout(() => this.#run(), this.span);
    this.work();
  }
}
