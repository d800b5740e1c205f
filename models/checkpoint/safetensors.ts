import { CheckpointError, type CheckpointErrorCode } from './errors.ts';
import {
  MAX_AXES,
  MAX_ENTRIES,
  MAX_METADATA_TEXT,
  MAX_METADATA_VALUES,
  MAX_SAFETENSORS_HEADER_BYTES,
  MAX_SAFETENSORS_MARKS,
} from './limits.ts';
import { readRange } from './source.ts';
import { Storage } from './storage.ts';
import { countElements, rowMajorStrides, viewTensor } from './strided.ts';
import {
  DTYPE_BYTES,
  type ByteSource,
  type Checkpoint,
  type DType,
  type StateDict,
  type StoredTensor,
  type TensorInfo,
} from './types.ts';
import { decodeUtf8 } from './utf8.ts';

const NAMES: Readonly<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const DTYPES = new Map(Object.entries(NAMES).map(([dtype, name]) => [name, dtype as DType]));

const METADATA = '__metadata__';
/** The length of the header, a 64-bit number, stands before it. */
const PREFIX_BYTES = 8;

/**
 * The safetensors layout: header length, header in JSON, tensors one after the other. Read as
 * strictly as the format's own library does: no hole, no overlap, nothing behind the last tensor.
 * Only the header is read here.
 * @throws CheckpointError when anything in the header does not fit the file.
 */
export async function openSafetensors(source: ByteSource): Promise<Checkpoint> {
  const { header, dataOffset } = await readHeader(source);
  const metadata = readMetadata(source, header[METADATA]);
  const names = Object.keys(header).filter((name) => name !== METADATA);
  if (names.length > MAX_ENTRIES) {
    throw failure(
      source,
      'limit-exceeded',
      `has ${names.length} tensors; the limit is ${MAX_ENTRIES}`,
    );
  }
  const entries = names.map((name) => readEntry(source, name, header[name]));
  // JSON objects in JavaScript put names that are numbers first, so the file's order is the data's.
  entries.sort((a, b) => a.start - b.start || a.end - b.end);

  const tensors = new Map<string, StoredTensor>();
  let offset = 0;
  for (const { name, dtype, shape, start, end } of entries) {
    const bytes = countElements(shape) * DTYPE_BYTES[dtype];
    if (end - start !== bytes) {
      const why = `takes ${end - start} bytes, but its shape [${shape.join(', ')}] needs ${bytes}`;
      throw damaged(source, why, name);
    }
    if (start !== offset) {
      const why = start < offset ? 'overlaps the tensor before it' : 'leaves a hole before it';
      throw damaged(source, why, name);
    }
    offset = end;
    await readRange(source, { offset: dataOffset + end, length: 0 }, name);
    const locate = async (): Promise<number> => dataOffset + start;
    const storage = new Storage({ source, key: name, size: bytes, locate });
    const view = { dtype, shape, strides: rowMajorStrides(shape), offset: 0 };
    const where = { file: source.name, key: name };
    tensors.set(name, viewTensor(where, view, { storage, start: 0, size: bytes }));
  }
  if (dataOffset + offset !== source.size) {
    throw damaged(
      source,
      `holds ${source.size - dataOffset - offset} bytes that belong to no tensor`,
    );
  }
  return {
    name: source.name,
    format: 'safetensors',
    stateDicts: new Map([['', tensors]]),
    metadata,
  };
}

/** Whether bytes from the start of a file look like a safetensors header's. */
export function looksLikeSafetensors(head: Uint8Array): boolean {
  if (head.length <= PREFIX_BYTES || head[PREFIX_BYTES] !== 0x7b) return false;
  // Above 2^32 it is no header. Between the format's limit and that, the reader explains.
  return head[4] === 0 && head[5] === 0 && head[6] === 0 && head[7] === 0;
}

async function readHeader(
  source: ByteSource,
): Promise<{ header: Readonly<Record<string, unknown>>; dataOffset: number }> {
  const prefix = await readRange(source, { offset: 0, length: PREFIX_BYTES }, 'the header');
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > MAX_SAFETENSORS_HEADER_BYTES) {
    const why = `claims a header of ${length} bytes; the limit is ${MAX_SAFETENSORS_HEADER_BYTES}`;
    throw failure(source, 'limit-exceeded', why);
  }
  const bytes = await readRange(source, { offset: PREFIX_BYTES, length }, 'the header');
  // Counted before parsing, which would make an object of every bracket.
  let marks = 0;
  for (const byte of bytes) if (byte === 0x5b || byte === 0x7b || byte === 0x2c) marks += 1;
  if (marks > MAX_SAFETENSORS_MARKS) {
    const why = `has ${marks} brackets and commas in its header; the limit is ${MAX_SAFETENSORS_MARKS}`;
    throw failure(source, 'limit-exceeded', why);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw damaged(source, 'its header is not valid UTF-8');
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw damaged(source, 'its header is not valid JSON');
  }
  if (!isRecord(header)) throw damaged(source, 'its header is no JSON object');
  return { header, dataOffset: PREFIX_BYTES + length };
}

interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function readEntry(source: ByteSource, name: string, value: unknown): Entry {
  if (!isRecord(value)) throw damaged(source, 'its header entry is no JSON object', name);
  const { dtype: typeName, shape, data_offsets: offsets, ...rest } = value;
  if (typeof typeName !== 'string') throw damaged(source, 'has no element type', name);
  const dtype = DTYPES.get(typeName);
  if (dtype === undefined) {
    const why = `holds elements of type ${typeName.slice(0, 20)}, which RCG Studio does not read`;
    throw failure(source, 'unsupported-dtype', why, name);
  }
  if (!isCounts(shape)) throw damaged(source, 'has no valid shape', name);
  if (shape.length > MAX_AXES) {
    const why = `has ${shape.length} axes; the limit is ${MAX_AXES}`;
    throw failure(source, 'limit-exceeded', why, name);
  }
  if (!isCounts(offsets) || offsets.length !== 2) throw damaged(source, 'has no valid place', name);
  const [start = 0, end = 0] = offsets;
  if (start > end) throw damaged(source, 'ends before it starts', name);
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw damaged(source, 'has an unknown field in its header', name);
  return { name, dtype, shape, start, end };
}

function readMetadata(source: ByteSource, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw damaged(source, 'is no JSON object', METADATA);
  const texts: [string, string][] = [];
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      throw damaged(source, 'holds something other than text', METADATA);
    if (texts.length < MAX_METADATA_VALUES) texts.push([key, text.slice(0, MAX_METADATA_TEXT)]);
  }
  return Object.fromEntries(texts);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function damaged(source: ByteSource, why: string, key?: string): CheckpointError {
  return failure(source, 'safetensors-damaged', why, key);
}

function failure(
  source: ByteSource,
  code: CheckpointErrorCode,
  why: string,
  key?: string,
): CheckpointError {
  return new CheckpointError(code, { file: source.name, key }, why);
}

/** A safetensors file to be written. */
export interface SafetensorsFile {
  /** Bytes of the whole file. */
  readonly size: number;
  /** The file from start to end, in pieces of a MiB or so. */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** A safetensors file of these tensors, in their order and as they are. */
export function writeSafetensors(
  tensors: StateDict,
  metadata?: Readonly<Record<string, string>>,
): SafetensorsFile {
  const infos = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const { header, size } = safetensorsHeader(infos, metadata);
  return {
    size,
    async *chunks() {
      yield header;
      for (const tensor of tensors.values()) yield* tensor.chunks();
    },
  };
}

/** The start of a safetensors file, and where everything goes. */
export interface SafetensorsHeader {
  /** First bytes of the file, to be followed by the tensors in the order given, without gaps. */
  readonly header: Uint8Array<ArrayBuffer>;
  /** Where each tensor starts, in bytes from the start of the file. */
  readonly offsets: readonly number[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * The header of a safetensors file with these tensors in this order. Its length is a multiple of 8.
 * @throws RangeError when a name is used twice or reserved.
 */
export function safetensorsHeader(
  entries: readonly TensorInfo[],
  metadata?: Readonly<Record<string, string>>,
): SafetensorsHeader {
  const fields: [string, unknown][] = metadata ? [[METADATA, metadata]] : [];
  const names = new Set([METADATA]);
  const starts: number[] = [];
  let end = 0;
  for (const { name, dtype, shape } of entries) {
    if (names.has(name)) throw new RangeError(`${name} cannot be the name of one more tensor`);
    names.add(name);
    const start = end;
    starts.push(start);
    end += countElements(shape) * DTYPE_BYTES[dtype];
    fields.push([name, { dtype: NAMES[dtype], shape, data_offsets: [start, end] }]);
  }
  // Written out, since an object would put names that are numbers first.
  const json = fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  const ascii = `{${json.join(',')}}`.replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const length = Math.ceil(ascii.length / 8) * 8;
  const header = new Uint8Array(PREFIX_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  for (let i = 0; i < ascii.length; i++) header[PREFIX_BYTES + i] = ascii.charCodeAt(i);
  return {
    header,
    offsets: starts.map((start) => header.length + start),
    size: header.length + end,
  };
}
