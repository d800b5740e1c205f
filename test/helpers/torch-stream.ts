import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { DType, StateDict, StoredTensor } from '#checkpoint/types';

/**
 * Writes PyTorch files (the zip layout, spec 1.1) tensor by tensor, so that one of several GB needs
 * no memory. For tests: what a reader must be able to read, nothing more.
 */

/** Class of storage that holds elements of a type. */
const STORAGE: Readonly<Partial<Record<DType, string>>> = {
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  float32: 'FloatStorage',
  float64: 'DoubleStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
};

const ROOT = 'archive';
/** What PyTorch aligns storages to. */
const ALIGNMENT = 64;
const LOCAL_HEADER = 30;
const LIMIT = 2 ** 32;

/** Dictionaries of tensors by their key in the root object: `{ model: … }`. */
export async function writeTorchZip(
  path: string,
  root: Readonly<Record<string, StateDict>>,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    const zip = new ZipWriter(file);
    const tensors = Object.values(root).flatMap((dict) => [...dict.values()]);
    await zip.add('data.pkl', [pickle(root)]);
    for (const [key, tensor] of tensors.entries()) {
      await zip.add(`data/${key}`, tensor.chunks());
    }
    await zip.add('version', [Buffer.from('3\n')]);
    await zip.finish();
  } finally {
    await file.close();
  }
}

/** A tensor whose elements are at hand. */
export function storedTensor(
  info: Pick<StoredTensor, 'name' | 'dtype' | 'shape'>,
  data: Uint8Array<ArrayBuffer>,
): StoredTensor {
  return {
    ...info,
    async *chunks() {
      yield await Promise.resolve(data);
    },
  };
}

interface Writable {
  write(data: Uint8Array, offset: number, length: number, position: number): Promise<unknown>;
}

class ZipWriter {
  readonly #file: Writable;
  readonly #central: Buffer[] = [];
  #position = 0;

  constructor(file: Writable) {
    this.#file = file;
  }

  /** Adds a stored (not compressed) entry. Its sum and size are filled in once they are known. */
  async add(name: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const start = this.#position;
    const path = Buffer.from(`${ROOT}/${name}`);
    const plain = start + LOCAL_HEADER + path.length + 4;
    const padding = (ALIGNMENT - (plain % ALIGNMENT)) % ALIGNMENT;
    this.#position = plain + padding;
    let crc = 0;
    for await (const chunk of chunks) {
      await this.#file.write(chunk, 0, chunk.byteLength, this.#position);
      crc = crc32(chunk, crc);
      this.#position += chunk.byteLength;
    }
    const size = this.#position - plain - padding;
    if (this.#position >= LIMIT) throw new Error('files of 4 GiB and more are not written');

    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(0x0800, 2); // UTF-8 names
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(size, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(path.length, 22);
    const extra = Buffer.alloc(4 + padding);
    extra.write('FB', 'latin1');
    extra.writeUInt16LE(padding, 2);
    common.writeUInt16LE(extra.length, 24);
    const local = Buffer.concat([signature('PK\x03\x04'), common, path, extra]);
    await this.#file.write(local, 0, local.length, start);

    common.writeUInt16LE(0, 24);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE(start, 10);
    this.#central.push(
      Buffer.concat([signature('PK\x01\x02'), Buffer.from([20, 0]), common, attributes, path]),
    );
  }

  async finish(): Promise<void> {
    const directory = Buffer.concat(this.#central);
    const end = Buffer.alloc(18);
    end.writeUInt16LE(this.#central.length, 4);
    end.writeUInt16LE(this.#central.length, 6);
    end.writeUInt32LE(directory.length, 8);
    end.writeUInt32LE(this.#position, 12);
    const tail = Buffer.concat([directory, signature('PK\x05\x06'), end]);
    await this.#file.write(tail, 0, tail.length, this.#position);
  }
}

function signature(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Protocol 2, as `torch.save` writes it, without memo entries. */
function pickle(root: Readonly<Record<string, StateDict>>): Buffer {
  let key = 0;
  const entries = Object.entries(root).map(([name, dict]) => {
    const tensors = [...dict].map(([tensorName, tensor]) =>
      Buffer.concat([text(tensorName), rebuild(tensor, String(key++))]),
    );
    return Buffer.concat([text(name), op(`${ORDERED_DICT}(`), ...tensors, op('u')]);
  });
  return Buffer.concat([op('\x80\x02}('), ...entries, op('u.')]);
}

const ORDERED_DICT = 'ccollections\nOrderedDict\n)R';

/** `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`. */
function rebuild({ dtype, shape }: StoredTensor, key: string): Buffer {
  const storage = STORAGE[dtype];
  if (storage === undefined) throw new Error(`no storage class for ${dtype}`);
  const count = shape.reduce((product, size) => product * size, 1);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  return Buffer.concat([
    op('ctorch._utils\n_rebuild_tensor_v2\n('),
    op('('),
    text('storage'),
    op(`ctorch\n${storage}\n`),
    text(key),
    text('cpu'),
    whole(count),
    op('tQ'),
    whole(0),
    tuple(shape),
    tuple(strides),
    op('\x89'),
    op(ORDERED_DICT),
    op('tR'),
  ]);
}

function op(code: string): Buffer {
  return Buffer.from(code, 'latin1');
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.alloc(5);
  head.write('X', 'latin1');
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function whole(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write('J', 'latin1');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

function tuple(values: readonly number[]): Buffer {
  return Buffer.concat([op('('), ...values.map(whole), op('t')]);
}
