/** Element types of values inside a graph. */
export type ElementType = 'float32' | 'float16' | 'int32' | 'int64' | 'uint8' | 'int8' | 'bool';

/** A known size, or the name of one that is known only when the graph runs. */
export type Dim = number | string;

/** Something a node computes, or a weight, or an input: a name with its type and shape. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dim[];
}

/** A weight, written when the model is. `produce` gives the little-endian row-major bytes. */
export interface Initializer {
  readonly value: Value;
  readonly byteLength: number;
  readonly produce: () => Promise<Uint8Array> | Uint8Array;
}

/** What an attribute of a node can hold. Whole numbers are ints; say `{ float }` for others. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly graph: Graph };

/** One operator of a graph. An empty input name is an optional input that is left out. */
export interface Node {
  readonly op: string;
  /** `''` for standard ONNX, `com.microsoft` for ONNX Runtime's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A finished graph. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
}

/** A graph with the operator sets that it uses. */
export interface Model {
  readonly graph: Graph;
  /** Domain to version. */
  readonly opsets: Readonly<Record<string, number>>;
}

/** Bytes that one element takes. */
export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  int8: 1,
  bool: 1,
};

/** A graph that cannot be: shapes that do not fit, or a name nobody computes. A bug in a network. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}
