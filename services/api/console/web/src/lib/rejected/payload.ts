/** PURE: a raw message as people can read it. */

const BYTES_A_LINE = 16;

/** JSON with its members under each other, other text as it is, and bytes that are no text in hexadecimal. */
export function readable(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return dumped(bytes);
  }
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function dumped(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length; start += BYTES_A_LINE) {
    const line = [...bytes.subarray(start, start + BYTES_A_LINE)];
    const digits = line.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const letters = line.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${digits.padEnd(BYTES_A_LINE * 3)} ${letters}`);
  }
  return lines.join("\n");
}
