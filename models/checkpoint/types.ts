/** Element types that a checkpoint tensor can have. */
export type DType =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'bool'
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64';

/** Bytes that one element of each type takes. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  float16: 2,
  bfloat16: 2,
  float32: 4,
  float64: 8,
  bool: 1,
  uint8: 1,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
};

/**
 * A file, or anything else with a length, that is read by ranges. Whoever opens the file supplies
 * this; nothing below knows about file systems.
 */
export interface ByteSource {
  /** What error messages call it: a file name without its folder. */
  readonly name: string;
  /** Bytes. May exceed 2^32. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; rejects when the source ends before that. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Name, element type and shape of a tensor. A 0-d tensor has the empty shape. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** A tensor that can be read, in pieces, without holding the rest of its file. */
export interface StoredTensor extends TensorInfo {
  /**
   * The elements, row-major and contiguous whatever the strides in the file, little-endian, in
   * pieces of a MiB or so (whole elements each). Rejects when the file is cut short or damaged.
   */
  chunks(): AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Tensors by name, in the order of the file. */
export type StateDict = ReadonlyMap<string, StoredTensor>;
/** What a check of names and shapes needs. Every StateDict is one. */
export type ShapeTable = ReadonlyMap<string, TensorInfo>;

/** How a checkpoint file was written. */
export type CheckpointFormat = 'torch-zip' | 'torch-legacy' | 'safetensors';

/** An opened checkpoint: nothing but its directory has been read. */
export interface Checkpoint {
  /** Name of the source. */
  readonly name: string;
  readonly format: CheckpointFormat;
  /**
   * The dictionaries of tensors in the file: by their key in the root object (`model`,
   * `state_dict`, `teacher`, `model_ema`); a root that is itself such a dictionary is `''`.
   */
  readonly stateDicts: ReadonlyMap<string, StateDict>;
  /** Plain values of the root (`epoch`, `arch`; in safetensors the `__metadata__`), for display. */
  readonly metadata: Readonly<Record<string, string | number | boolean | null>>;
}
