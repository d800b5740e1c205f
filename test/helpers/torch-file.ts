import { DTYPE_BYTES, type DType } from '#checkpoint/types';
import { zipFile, type ZipOptions, type ZipPart } from './zip-file.ts';

/**
 * Small PyTorch files of both layouts, byte for byte in memory, as torch.save writes them (pickle
 * protocol 2, spec 1.1).
 */

/** A tensor to be saved. Without strides it is row-major. */
export interface TorchTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The whole storage. */
  readonly data: ArrayBufferView;
  readonly strides?: readonly number[];
  /** First element in the storage. */
  readonly offset?: number;
  /** Tensors with the same key share the storage of the first of them. */
  readonly storage?: string;
  /** Legacy layout: the tensor's storage is this part of the whole one. */
  readonly part?: { readonly offset: number; readonly elements: number };
  /** Wrapped as torch.nn.Parameter. */
  readonly parameter?: boolean;
}

/** Anything that a checkpoint can hold. Plain objects become dict, maps OrderedDict. */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | TorchTensor
  | TorchCall
  | readonly TorchValue[]
  | ReadonlyMap<TorchValue, TorchValue>
  | { readonly [key: string]: TorchValue };

/** A Python object: a callable's name, its arguments and perhaps a state. */
export interface TorchCall {
  readonly call: string;
  readonly args: readonly TorchValue[];
  readonly state?: TorchValue;
}

/** An argparse.Namespace, as training scripts leave it in `args`. */
export function namespace(state: { readonly [key: string]: TorchValue }): TorchCall {
  return { call: 'argparse.Namespace', args: [], state };
}

export interface TorchZipOptions extends ZipOptions {
  /** Name of the folder in the archive. */
  readonly root?: string;
  readonly byteOrder?: string;
  /** Changes the entries before they are written. */
  readonly change?: (parts: ZipPart[]) => ZipPart[];
}

/** A file of the zip layout. */
export function torchZip(root: TorchValue, options: TorchZipOptions = {}): Uint8Array {
  const { pickle, storages } = pickleOf(root);
  return torchZipOf(
    pickle,
    [...storages].map(([key, { data }]) => [key, data]),
    options,
  );
}

/** A file of the zip layout around a pickle made elsewhere. */
export function torchZipOf(
  pickle: Uint8Array,
  storages: readonly (readonly [key: string, data: Uint8Array])[] = [],
  options: TorchZipOptions = {},
): Uint8Array {
  const { root = 'archive/', byteOrder, change = (parts) => parts } = options;
  const parts: ZipPart[] = [{ name: `${root}data.pkl`, data: pickle }];
  if (byteOrder !== undefined) {
    parts.push({ name: `${root}byteorder`, data: Buffer.from(byteOrder) });
  }
  for (const [key, data] of storages) parts.push({ name: `${root}data/${key}`, data });
  parts.push({ name: `${root}version`, data: Buffer.from('3\n') });
  return zipFile(change(parts), options);
}

export interface TorchLegacyOptions {
  readonly littleEndian?: boolean;
  readonly protocol?: number;
  /** Storage keys as they are to be listed; all, in order, unless given. */
  readonly keys?: readonly TorchValue[];
}

/** A file of the layout before PyTorch 1.6. */
export function torchLegacy(root: TorchValue, options: TorchLegacyOptions = {}): Uint8Array {
  const { pickle, storages } = pickleOf(root);
  const plain = (value: TorchValue): Uint8Array => pickleOf(value).pickle;
  const system = {
    protocol_version: options.protocol ?? 1001,
    little_endian: options.littleEndian ?? true,
    type_sizes: { short: 2, int: 4, long: 4 },
  };
  const chunks = [
    plain(0x1950a86a20f9469cfc6cn),
    plain(options.protocol ?? 1001),
    plain(system),
    pickle,
    plain(options.keys ?? [...storages.keys()]),
  ];
  for (const { data, dtype } of storages.values()) {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(data.length / DTYPE_BYTES[dtype]));
    chunks.push(count, data);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

const STORAGES: Readonly<Record<DType, string>> = {
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  bool: 'BoolStorage',
  uint8: 'ByteStorage',
  int8: 'CharStorage',
  int16: 'ShortStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
};

type Storages = Map<string, { readonly data: Uint8Array; readonly dtype: DType }>;

/** The object tree as protocol 2 has it, and the storages that it names. */
export function pickleOf(root: TorchValue): { pickle: Uint8Array; storages: Storages } {
  const writer = new PickleWriter();
  writer.value(root);
  return { pickle: Buffer.concat([...writer.chunks, Buffer.from('.')]), storages: writer.storages };
}

class PickleWriter {
  readonly chunks: Uint8Array[] = [Buffer.from([0x80, 2])];
  readonly storages: Storages = new Map();
  readonly #memo = new Map<string, number>();
  #memoized = 0;

  value(value: TorchValue): void {
    if (value === null) this.#op('N');
    else if (typeof value === 'boolean') this.#op(value ? '\x88' : '\x89');
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'bigint') this.#long(value);
    else if (typeof value === 'string') this.#string(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof Map) this.#ordered(value);
    else if (isTensor(value)) this.#tensor(value);
    else if (isCall(value)) this.#call(value);
    else this.#dict(value as { readonly [key: string]: TorchValue });
  }

  #op(text: string, ...bytes: readonly Uint8Array[]): void {
    this.chunks.push(Buffer.from(text, 'latin1'), ...bytes);
  }

  /** Python remembers nearly every value, whether it is used again or not. */
  #remember(): number {
    const index = this.#memoized++;
    const wide = Buffer.alloc(4);
    wide.writeUInt32LE(index);
    if (index < 256) this.#op('q', wide.subarray(0, 1));
    else this.#op('r', wide);
    return index;
  }

  /** Writes something once, and later recalls it. */
  #once(key: string, write: () => void): void {
    const known = this.#memo.get(key);
    if (known === undefined) {
      write();
      this.#memo.set(key, this.#remember());
      return;
    }
    const wide = Buffer.alloc(4);
    wide.writeUInt32LE(known);
    if (known < 256) this.#op('h', wide.subarray(0, 1));
    else this.#op('j', wide);
  }

  #number(value: number): void {
    const bytes = Buffer.alloc(8);
    if (!Number.isInteger(value)) {
      bytes.writeDoubleBE(value);
      this.#op('G', bytes);
    } else if (value >= 0 && value < 256) {
      this.#op('K', Buffer.from([value]));
    } else if (value >= 0 && value < 65536) {
      bytes.writeUInt16LE(value);
      this.#op('M', bytes.subarray(0, 2));
    } else if (Math.abs(value) < 2 ** 31) {
      bytes.writeInt32LE(value);
      this.#op('J', bytes.subarray(0, 4));
    } else {
      this.#long(BigInt(value));
    }
  }

  #long(value: bigint): void {
    const bytes: number[] = [];
    for (let rest = value; ; rest >>= 8n) {
      bytes.push(Number(rest & 0xffn));
      const sign = (bytes.at(-1) ?? 0) >= 128 ? -1n : 0n;
      if (rest >> 8n === sign) break;
    }
    this.#op('\x8a', Buffer.from([bytes.length, ...bytes]));
  }

  #string(value: string): void {
    this.#once(`string ${value}`, () => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      this.#op('X', length, bytes);
    });
  }

  #global(name: string): void {
    const dot = name.lastIndexOf('.');
    this.#once(`global ${name}`, () =>
      this.#op(`c${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`),
    );
  }

  #list(items: readonly TorchValue[]): void {
    this.#op(']');
    this.#remember();
    this.#op('(');
    for (const item of items) this.value(item);
    this.#op('e');
  }

  #tuple(items: readonly TorchValue[]): void {
    this.#op('(');
    for (const item of items) this.value(item);
    this.#op('t');
    this.#remember();
  }

  #items(items: Iterable<readonly [TorchValue, TorchValue]>): void {
    this.#op('(');
    for (const [key, value] of items) {
      this.value(key);
      this.value(value);
    }
    this.#op('u');
  }

  #dict(value: { readonly [key: string]: TorchValue }): void {
    this.#op('}');
    this.#remember();
    this.#items(Object.entries(value));
  }

  #ordered(value: ReadonlyMap<TorchValue, TorchValue>): void {
    this.#global('collections.OrderedDict');
    this.#op(')R');
    this.#remember();
    this.#items(value);
    // Modules leave their version numbers as an attribute of the dictionary.
    this.#dict({ _metadata: { '': { version: 1 } } });
    this.#op('b');
  }

  #call({ call, args, state }: TorchCall): void {
    this.#global(call);
    this.#tuple(args);
    this.#op(state === undefined ? 'R' : '\x81');
    this.#remember();
    if (state === undefined) return;
    this.value(state);
    this.#op('b');
  }

  #tensor(tensor: TorchTensor): void {
    if (tensor.parameter) {
      this.#global('torch._utils._rebuild_parameter');
      this.#op('(');
    }
    const { shape } = tensor;
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    this.#global('torch._utils._rebuild_tensor_v2');
    this.#op('(');
    this.#storage(tensor);
    this.value(tensor.offset ?? 0);
    this.#tuple(shape);
    this.#tuple(tensor.strides ?? strides);
    this.#op('\x89');
    this.#hooks();
    this.#op('tR');
    if (!tensor.parameter) return;
    this.#op('\x88');
    this.#hooks();
    this.#op('tR');
  }

  #hooks(): void {
    this.#global('collections.OrderedDict');
    this.#op(')R');
  }

  #storage(tensor: TorchTensor): void {
    const { dtype, data, part } = tensor;
    const key = tensor.storage ?? `${this.storages.size}`;
    if (!this.storages.has(key)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.storages.set(key, { data: bytes, dtype });
    }
    const elements = (this.storages.get(key)?.data.length ?? 0) / DTYPE_BYTES[dtype];
    this.#op('(');
    this.value('storage');
    this.#global(`torch.${STORAGES[dtype]}`);
    this.value(key);
    this.value('cuda:0');
    this.value(elements);
    if (part) this.#tuple([`${key}-view`, part.offset, part.elements]);
    this.#op('tQ');
  }
}

function isTensor(value: object): value is TorchTensor {
  return 'dtype' in value && 'shape' in value && 'data' in value;
}

function isCall(value: object): value is TorchCall {
  return 'call' in value;
}
