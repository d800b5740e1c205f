import type { DType } from './types.ts';

/** What a pickle can come to here: plain data, and descriptions of things that are never made. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleDict
  | Global
  | OpaqueObject
  | StorageRef
  | TensorRef;

/** A list, tuple or set. */
export type PickleList = PickleValue[];
/** A dictionary, in its order. */
export type PickleDict = Map<PickleValue, PickleValue>;

/** Says that a pickle is wrong; the reader adds the file's name. */
export type Refuse = (why: string) => Error;

/** A name of the allow-list. */
export interface Global {
  readonly kind: 'global';
  /** Module and name: `torch._utils._rebuild_tensor_v2`. */
  readonly name: string;
  /** What applying it to arguments gives; without one, an opaque object. */
  readonly build?: (args: PickleList, refuse: Refuse) => PickleValue;
  /** Of a storage type: its elements; `untyped` counts bytes, `unsupported` cannot be read. */
  readonly storage?: StorageType;
}

export type StorageType = DType | 'untyped' | 'unsupported';

/** An object of a class that is allowed but means nothing here (`argparse.Namespace`). */
interface OpaqueObject {
  readonly kind: 'object';
  /** Name of its class. */
  readonly name: string;
}

/** A storage that the pickle names. */
export interface StorageRef {
  readonly kind: 'storage';
  readonly type: StorageType;
  /** Name of the type, for messages. */
  readonly typeName: string;
  readonly key: string;
  /** Elements of the storage with this key; bytes when untyped. */
  readonly elements: number;
  /** In legacy files, the part of that storage that is meant. */
  readonly part: { readonly offset: number; readonly elements: number } | undefined;
}

/** A tensor as the pickle describes it. Nothing in it has been checked. */
export interface TensorRef {
  readonly kind: 'tensor';
  readonly storage: StorageRef;
  readonly type: DType | 'unsupported';
  readonly typeName: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The value if it is one of the kinds that are described rather than made. */
export function hasKind<K extends 'global' | 'object' | 'storage' | 'tensor'>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}
