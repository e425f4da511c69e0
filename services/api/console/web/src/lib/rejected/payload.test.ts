import { expect, test } from "vitest";
import { readable } from "./payload";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("JSON is set out, and what is cut off stays as it came", () => {
  expect(readable(bytes('{"a":[1]}'))).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(readable(bytes('{"a":'))).toBe('{"a":');
});

test("what is no text is shown byte by byte", () => {
  expect(readable(new Uint8Array([0xff, 0x41, 0x00]))).toMatch(/^ff 41 00 +·A·$/u);
});
