/** Protocol Buffers' wire format, as far as writing ONNX needs it. Strings are ASCII. */
export class MessageWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** A varint field: an int, an enum, a bool. Negative numbers take ten bytes, as in protobuf. */
  int(field: number, value: number): this {
    this.#varint(BigInt((field << 3) | 0));
    this.#varint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.#varint(BigInt((field << 3) | 5));
    const four = new Uint8Array(4);
    new DataView(four.buffer).setFloat32(0, value, true);
    this.#append(four);
    return this;
  }

  /** A length-delimited field. */
  bytes(field: number, value: Uint8Array): this {
    this.#varint(BigInt((field << 3) | 2));
    this.#varint(BigInt(value.length));
    this.#append(value);
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(
      field,
      Uint8Array.from(value, (character) => character.charCodeAt(0)),
    );
  }

  message(field: number, value: MessageWriter): this {
    return this.bytes(field, value.finish());
  }

  /** What has been written so far. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #varint(value: bigint): void {
    let rest = value;
    const out: number[] = [];
    while (rest > 127n) {
      out.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    out.push(Number(rest));
    this.#append(Uint8Array.from(out));
  }

  #append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes.length));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}
