import { describe, expect, it } from "vitest";
import type { Rule } from "../model";
import { labelsOf, limitsOf, multiple } from "./limits";

const LABELS = labelsOf(
  { key: "main-1", domain: "water", district: "gate", kind: "measuring_point" },
  { key: "main-1.pressure", thing: "main-1", observed_property: "water_pressure", device: "logger-1" },
  [{ key: "logger-1", type: "main_logger" }],
);

function rule(target: object, more: object = {}): Rule {
  const levels = [
    { severity: "high", value: 4.5 },
    { severity: "critical", value: 3.5 },
  ];
  return {
    key: "burst",
    version: 1,
    enabled: true,
    document: { kind: "threshold", name: { en: "Burst" }, operator: "<", target, levels, ...more },
  };
}

const values = (one: Rule): number[] => limitsOf([one], LABELS, "bar").map((limit) => limit.value);

describe("limits", () => {
  it("are all levels, worst first", () =>
    expect(limitsOf([rule({ observed_property: "water_pressure" })], LABELS, "bar")).toMatchObject([
      { severity: "critical", value: 3.5, operator: "<" },
      { severity: "high", value: 4.5 },
    ]));

  it.each([
    {},
    { observed_property: "water_pressure", channels: ["pressure"], device_types: ["main_logger"] },
    { thing_kinds: ["pump", "measuring_point"], districts: ["gate"], domains: ["water"], things: ["main-1"] },
    { match: ['thing=~"main-.*"', 'district!="golden"'] },
    { match: ['device_type!~"|smart_meter"'] },
  ])("of a rule that targets it: %j", (target) => expect(values(rule(target))).toEqual([3.5, 4.5]));

  it.each([
    { observed_property: "water_flow" },
    { channels: ["pressure"], device_types: ["zone_logger"] },
    { districts: ["golden"] },
    { match: ['thing=~"main"'] },
    { match: ['device_type=""'] },
    { match: ["thing=main-1"] },
    { match: ['thing=~"(?P<x>main)"'] },
  ])("of a rule that does not: %j", (target) => expect(values(rule(target))).toEqual([]));

  it("are not of rules without a threshold, or out of force", () => {
    expect(values(rule({}, { kind: "state" }))).toEqual([]);
    expect(values({ ...rule({}), enabled: false })).toEqual([]);
  });

  it("are in the property's unit, or left out", () => {
    const kilopascals = limitsOf([rule({}, { unit: "MPa" })], LABELS, "kPa").map((limit) => limit.value);
    expect(kilopascals).toEqual([3_500, 4_500]);
    expect(values(rule({}, { unit: "kPa" }))).toEqual([]);
  });
});

describe("units", () => {
  it.each([
    ["bar", "bar", 1],
    ["MW", "kW", 1_000],
    ["cm", "m", 0.01],
    ["W.h", "kW.h", 0.001],
    ["Cel", "K", null],
    ["m", "A", null],
    ["mm/h", "m/h", null],
  ])("%s in %s: %s", (from, to, factor) => expect(multiple(from, to)).toBe(factor));
});
