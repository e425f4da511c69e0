/** What an alert is called and where it is, in the language of the console. */
import { registry } from "../city.svelte";
import { named, say } from "../language.svelte";
import type { Alert, LocalName, ObservedProperty } from "../model";
import { shell } from "../../words/shell";

/** Name of a rule; its key where the rulebook does not know it any more. */
export function ruleNamed(key: string): string {
  return named(registry.rules.get(key)?.document.name as LocalName | undefined, key);
}

export function titleOf(alert: Alert): string {
  return registry.rules.has(alert.rule) ? ruleNamed(alert.rule) : named(alert.cause, alert.rule);
}

export function thingOf(alert: Alert): string {
  const otherwise = alert.thing ?? alert.labels.device ?? say(shell).wholeCity;
  return named(registry.things.get(alert.thing ?? "")?.name, otherwise);
}

export function districtNamed(key: string | null): string {
  return key === null ? say(shell).wholeCity : named(registry.districts.get(key)?.name, key);
}

export function propertyOf(alert: Alert): ObservedProperty | undefined {
  return registry.properties.get(alert.labels.observed_property ?? "");
}
