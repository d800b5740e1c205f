import { MessageWriter } from './protobuf.ts';
import type { Attribute, ElementType, Graph, Initializer, Model, Node, Value } from './types.ts';

// Field numbers and enum values below are those of onnx.proto (IR version 8).
const IR_VERSION = 8;
const DATA_TYPES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};
const EXTERNAL = 1;
/** Weights up to this size go into the model file: shapes and indices, which the runtime folds. */
const INLINE_BYTES = 1024;
/** Offsets are multiples of this, so that a runtime can map the weights instead of copying them. */
const ALIGNMENT = 4096;

/** A weight's place in the external data file. Gaps between weights are zeros. */
export interface WeightBlob {
  readonly offset: number;
  readonly length: number;
  produce(): Promise<Uint8Array>;
}

/** A model as bytes, and what is to be written into its external data file. */
export interface EncodedModel {
  readonly proto: Uint8Array<ArrayBuffer>;
  /** In order of offset. */
  readonly weights: readonly WeightBlob[];
  /** Bytes of the external data file. */
  readonly weightsSize: number;
}

/**
 * Writes a model as an ONNX protobuf.
 * @param weightsFile name of the external data file, relative to the model's own
 */
export async function encodeModel(model: Model, weightsFile: string): Promise<EncodedModel> {
  const writer = new MessageWriter().int(1, IR_VERSION).string(2, 'rcg-studio');
  const weights: WeightBlob[] = [];
  let end = 0;
  const place = (initializer: Initializer): number => {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = offset + initializer.byteLength;
    const produce = async () => checked(initializer, await initializer.produce());
    weights.push({ offset, length: initializer.byteLength, produce });
    return offset;
  };
  const tensors: MessageWriter[] = [];
  for (const initializer of model.graph.initializers) {
    const tensor = tensorHeader(initializer.value);
    if (initializer.byteLength <= INLINE_BYTES) {
      tensor.bytes(9, checked(initializer, await initializer.produce()));
    } else {
      const offset = place(initializer);
      tensor
        .message(13, entry('location', weightsFile))
        .message(13, entry('offset', String(offset)))
        .message(13, entry('length', String(initializer.byteLength)))
        .int(14, EXTERNAL);
    }
    tensors.push(tensor);
  }
  writer.message(7, graphMessage(model.graph, tensors));
  for (const [domain, version] of Object.entries(model.opsets)) {
    writer.message(8, new MessageWriter().string(1, domain).int(2, version));
  }
  return { proto: writer.finish(), weights, weightsSize: end };
}

function checked(initializer: Initializer, bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength !== initializer.byteLength) {
    throw new RangeError(
      `weight ${initializer.value.name} came with ${bytes.byteLength} bytes instead of ${initializer.byteLength}`,
    );
  }
  return bytes;
}

function entry(key: string, value: string): MessageWriter {
  return new MessageWriter().string(1, key).string(2, value);
}

function graphMessage(graph: Graph, tensors: readonly MessageWriter[]): MessageWriter {
  const writer = new MessageWriter();
  for (const node of graph.nodes) writer.message(1, nodeMessage(node));
  writer.string(2, graph.name);
  for (const tensor of tensors) writer.message(5, tensor);
  for (const input of graph.inputs) writer.message(11, valueInfo(input));
  for (const output of graph.outputs) writer.message(12, valueInfo(output));
  return writer;
}

function nodeMessage(node: Node): MessageWriter {
  const writer = new MessageWriter();
  for (const input of node.inputs) writer.string(1, input);
  for (const output of node.outputs) writer.string(2, output);
  writer.string(3, node.outputs[0] ?? node.op).string(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message(5, attributeMessage(name, attribute));
  }
  if (node.domain !== '') writer.string(7, node.domain);
  return writer;
}

function attributeMessage(name: string, attribute: Attribute): MessageWriter {
  const writer = new MessageWriter().string(1, name);
  if (typeof attribute === 'number') return writer.int(3, attribute).int(20, 2);
  if (typeof attribute === 'string') return writer.string(4, attribute).int(20, 3);
  if ('float' in attribute) return writer.float(2, attribute.float).int(20, 1);
  if ('floats' in attribute) {
    for (const value of attribute.floats) writer.float(7, value);
    return writer.int(20, 6);
  }
  if ('graph' in attribute) return writer.message(6, graphMessage(attribute.graph, [])).int(20, 5);
  for (const value of attribute) writer.int(8, value);
  return writer.int(20, 7);
}

function tensorHeader(value: Value): MessageWriter {
  const writer = new MessageWriter();
  for (const size of value.shape) writer.int(1, Number(size));
  return writer.int(2, DATA_TYPES[value.type]).string(8, value.name);
}

function valueInfo(value: Value): MessageWriter {
  const shape = new MessageWriter();
  for (const size of value.shape) {
    const dim = new MessageWriter();
    shape.message(1, typeof size === 'number' ? dim.int(1, size) : dim.string(2, size));
  }
  const tensor = new MessageWriter().int(1, DATA_TYPES[value.type]).message(2, shape);
  return new MessageWriter()
    .string(1, value.name)
    .message(2, new MessageWriter().message(1, tensor));
}
