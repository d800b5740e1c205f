// Arrays as the database keeps them: little-endian, as every machine that we run on has them.

/** f32 [D] */
export function encodeFloats(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** f32 [D] */
export function decodeFloats(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const length = Math.floor(bytes.byteLength / 4);
  // A copy is aligned, which SQLite's bytes need not be.
  return new Float32Array(new Uint8Array(bytes).buffer, 0, length);
}

/** u16 [N] */
export function encodeTokens(tokens: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Uint16Array.from(tokens).buffer);
}

/** u16 [N] */
export function decodeTokens(bytes: Uint8Array): Uint16Array<ArrayBuffer> {
  return new Uint16Array(new Uint8Array(bytes).buffer, 0, Math.floor(bytes.byteLength / 2));
}
