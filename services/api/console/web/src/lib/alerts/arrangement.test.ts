import { describe, expect, it } from "vitest";
import { alertOf } from "./alerts.fixture";
import { grouped, held, limited, mentions, renewed, stepped } from "./arrangement";

const alert = (alert_id: number, change = {}) => alertOf({ alert_id, ...change });
const ids = (alerts: readonly { alert_id: number }[]) => alerts.map((one) => one.alert_id);

describe("grouped", () => {
  it("puts the group of the first alert first, and keeps the order within", () => {
    const list = [
      alert(9, { thing: "b" }),
      alert(8, { thing: "a" }),
      alert(7, { thing: "b" }),
      alert(6, { thing: null }),
    ];
    expect(grouped(list, "thing").map((group) => [group.key, ids(group.alerts)])).toEqual([
      ["b", [9, 7]],
      ["a", [8]],
      ["", [6]],
    ]);
  });

  it("is one group where none is wanted, and none without alerts", () => {
    expect(grouped([alert(2), alert(1)], "none").map((group) => ids(group.alerts))).toEqual([[2, 1]]);
    expect(grouped([], "rule")).toEqual([]);
  });
});

describe("limited", () => {
  const groups = grouped([alert(4), alert(3), alert(2, { thing: "b" }), alert(1, { thing: "b" })], "thing");

  it("cuts the group where the limit falls, and drops what follows", () => {
    const shown = (most: number) => limited(groups, most).map((group) => ids(group.alerts));
    expect(shown(3)).toEqual([[4, 3], [2]]);
    expect(shown(2)).toEqual([[4, 3]]);
    expect(shown(9)).toEqual([
      [4, 3],
      [2, 1],
    ]);
  });
});

describe("held", () => {
  it("keeps every row at its place, with its newest state", () => {
    const { alerts } = held([alert(3), alert(2)], [alert(2, { version: 5 }), alert(3)]);
    expect(alerts.map((one) => [one.alert_id, one.version])).toEqual([
      [3, 2],
      [2, 5],
    ]);
  });

  it("keeps the place of what has left, and counts what waits", () => {
    const { alerts, waiting } = held([alert(3), alert(2)], [alert(5), alert(4), alert(2)]);
    expect(alerts.map((one) => [one.alert_id, one.in_inbox])).toEqual([
      [3, false],
      [2, true],
    ]);
    expect(waiting).toBe(2);
  });
});

describe("renewed", () => {
  const listed = [alert(5), alert(4), alert(3), alert(2)];

  it("replaces the head and keeps the rest", () => {
    const fresh = [alert(6), alert(5, { version: 3 }), alert(4)];
    const result = renewed(listed, fresh, false);
    expect(ids(result)).toEqual([6, 5, 4, 3, 2]);
    expect(result[1]?.version).toBe(3);
  });

  it("leaves out what does not fit the filter any more", () => {
    expect(ids(renewed(listed, [alert(5), alert(3)], false))).toEqual([5, 3, 2]);
  });

  it("is what was read where that is all", () => {
    expect(ids(renewed(listed, [alert(5)], true))).toEqual([5]);
    expect(renewed(listed, [], true)).toEqual([]);
  });
});

describe("mentions", () => {
  it("wants every word, wherever it is, in any case", () => {
    expect(mentions("PUMP gate", ["Насос", "Pump 3", "Gate district"])).toBe(true);
    expect(mentions("насос gate", ["Насос", "Pump 3", "Gate district"])).toBe(true);
    expect(mentions("pump golden", ["Pump 3", "Gate district"])).toBe(false);
  });
});

describe("stepped", () => {
  it("walks, and stops at both ends", () => {
    expect(stepped("ArrowDown", 0, 3)).toBe(1);
    expect(stepped("ArrowDown", 2, 3)).toBe(2);
    expect(stepped("ArrowUp", 0, 3)).toBe(0);
    expect(stepped("Home", 2, 3)).toBe(0);
    expect(stepped("End", 0, 3)).toBe(2);
  });

  it("leaves other keys and empty lists alone", () => {
    expect(stepped("Enter", 1, 3)).toBeNull();
    expect(stepped("Home", -1, 0)).toBeNull();
  });
});
