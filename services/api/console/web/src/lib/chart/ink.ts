/** How curves look: told apart by dashes as well as by colour; both are neutral, colours of alerts are not theirs. */

export interface Pen {
  /** Name of a custom property (theme.css). */
  colour: string;
  width: number;
  dash: number[];
}

export const PENS: readonly Pen[] = [
  { colour: "--accent", width: 2, dash: [] },
  { colour: "--ink", width: 1.5, dash: [] },
  { colour: "--accent", width: 1.5, dash: [6, 4] },
  { colour: "--soft", width: 1.5, dash: [2, 3] },
];

export const pen = (index: number): Pen => PENS[index % PENS.length] as Pen;

/** A colour of the theme as it is now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
