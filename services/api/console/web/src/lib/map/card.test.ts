import { describe, expect, it } from "vitest";
import type { Alert, Value } from "../model";
import { channelOf, headline } from "./card";

describe("the card's values", () => {
  const value = (datastream_id: number, channel: string, observed_property: string): Value =>
    ({ datastream_id, datastream: `pump.${channel}`, observed_property }) as Value;
  const values = [
    value(3, "current_l1", "current"),
    value(4, "current_l2", "current"),
    value(1, "power", "power"),
    value(9, "state", "run_state"),
  ];

  it("begin with what is wrong, then one of each property", () => {
    expect(headline(values, []).map(({ datastream_id }) => datastream_id)).toEqual([1, 3, 9, 4]);
    const alert = { datastream: "pump.current_l2" } as Alert;
    expect(headline(values, [alert])[0]?.datastream_id).toBe(4);
  });

  it("are told apart by channel where the property is the same", () => {
    expect(values.map((one) => channelOf(one, values))).toEqual(["l1", "l2", "", ""]);
    const pump = [value(1, "suction_pressure", "pressure"), value(2, "discharge_pressure", "pressure")];
    expect(pump.map((one) => channelOf(one, pump))).toEqual(["suction", "discharge"]);
  });
});
