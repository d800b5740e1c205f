/** Characters joined at a time: below every engine's limit on arguments. */
const BATCH = 4096;

/** Text of UTF-8 bytes, or undefined when they are not valid UTF-8 (overlong forms included). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  let text = '';
  let batch: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    if (first < 0x80) {
      batch.push(first);
      at += 1;
    } else {
      const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
      const code = multiByte(bytes, at, length);
      if (code === undefined) return undefined;
      if (code >= 0x10000) {
        batch.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
      } else {
        batch.push(code);
      }
      at += length;
    }
    if (batch.length >= BATCH) {
      text += String.fromCharCode(...batch);
      batch = [];
    }
  }
  return text + String.fromCharCode(...batch);
}

/** Text of bytes that each stand for one character. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += BATCH) {
    text += String.fromCharCode(...bytes.subarray(at, at + BATCH));
  }
  return text;
}

/** The smallest code that needs 2, 3, 4 bytes; a smaller one in that form is overlong. */
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

function multiByte(bytes: Uint8Array, at: number, length: number): number | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0xc0 || first > 0xf7 || at + length > bytes.length) return undefined;
  let code = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (next & 0x3f);
  }
  const surrogate = code >= 0xd800 && code < 0xe000;
  return code < (SMALLEST[length] ?? 0) || code > 0x10ffff || surrogate ? undefined : code;
}
