import { MAX_AXES } from './limits.ts';
import {
  hasKind,
  type Global,
  type PickleDict,
  type PickleList,
  type PickleValue,
  type Refuse,
  type StorageType,
  type TensorRef,
} from './pickle-values.ts';

/**
 * The names that a pickle may use (spec 1.1): what torch.save writes for tensors, and the few
 * harmless classes that training scripts leave beside them. Each becomes plain data or an opaque
 * object by the code here; nothing of Python exists that could run.
 */

/** Storage classes of module `torch`, by their elements. */
const STORAGES: Readonly<Record<string, StorageType>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  BoolStorage: 'bool',
  ByteStorage: 'uint8',
  CharStorage: 'int8',
  ShortStorage: 'int16',
  IntStorage: 'int32',
  LongStorage: 'int64',
  UntypedStorage: 'untyped',
  ComplexFloatStorage: 'unsupported',
  ComplexDoubleStorage: 'unsupported',
  QInt8Storage: 'unsupported',
  QUInt8Storage: 'unsupported',
  QInt32Storage: 'unsupported',
  QUInt4x2Storage: 'unsupported',
  QUInt2x4Storage: 'unsupported',
};

/** Element types of module `torch`, by name; torch has two names for most. */
const DTYPES: Readonly<Record<string, StorageType>> = {
  float32: 'float32',
  float: 'float32',
  float64: 'float64',
  double: 'float64',
  float16: 'float16',
  half: 'float16',
  bfloat16: 'bfloat16',
  bool: 'bool',
  uint8: 'uint8',
  int8: 'int8',
  int16: 'int16',
  short: 'int16',
  int32: 'int32',
  int: 'int32',
  int64: 'int64',
  long: 'int64',
  uint16: 'unsupported',
  uint32: 'unsupported',
  uint64: 'unsupported',
  complex32: 'unsupported',
  complex64: 'unsupported',
  complex128: 'unsupported',
  float8_e4m3fn: 'unsupported',
  float8_e4m3fnuz: 'unsupported',
  float8_e5m2: 'unsupported',
  float8_e5m2fnuz: 'unsupported',
};

/** Classes whose objects are carried as a name. */
const OPAQUE = [
  'argparse.Namespace',
  'collections.Counter',
  'datetime.datetime',
  'datetime.timedelta',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray._reconstruct',
  'numpy.core.multiarray.scalar',
  'numpy._core.multiarray.scalar',
  'pathlib.Path',
  'pathlib.PosixPath',
  'pathlib.PurePosixPath',
  'pathlib.WindowsPath',
  'pathlib.PureWindowsPath',
  // The key under which PyTorch Lightning files its callbacks, as in the VQ-f8 tokenizer.
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
  'torch.device',
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
  'torch.serialization._get_layout',
  ...['complex', 'float', 'int', 'object', 'range', 'slice', 'str'].flatMap(builtin),
];

type Build = NonNullable<Global['build']>;

const BUILDS: readonly (readonly [name: string, build: Build])[] = [
  ['collections.OrderedDict', dictOf],
  // Its first argument makes missing values; a dictionary that is only read has no use for it.
  ['collections.defaultdict', (args, refuse) => dictOf(args.slice(1), refuse)],
  ...builtin('dict').map((name) => [name, dictOf] as const),
  ...['list', 'tuple', 'set', 'frozenset'].flatMap(builtin).map((name) => [name, listOf] as const),
  ...builtin('bytearray').map((name) => [name, bytesOf] as const),
  ['_codecs.encode', bytesOf],
  ['torch.Size', listOf],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTensorOfType],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
  ['torch._tensor._rebuild_from_type_v2', rebuildSubclass],
];

/** Names of a builtin under Python 3 and Python 2. */
function builtin(name: string): string[] {
  return [`builtins.${name}`, `__builtin__.${name}`];
}

let allowed: ReadonlyMap<string, Global> | undefined;

/** The allow-list's entry of that name, if it has one. */
export function findGlobal(name: string): Global | undefined {
  return (allowed ??= makeAllowed()).get(name);
}

function makeAllowed(): ReadonlyMap<string, Global> {
  const globals: Global[] = OPAQUE.map((name) => ({ kind: 'global', name }));
  for (const [name, build] of BUILDS) globals.push({ kind: 'global', name, build });
  for (const [name, storage] of Object.entries({ ...STORAGES, ...DTYPES })) {
    globals.push({ kind: 'global', name: `torch.${name}`, storage });
  }
  globals.push({ kind: 'global', name: 'torch.storage.UntypedStorage', storage: 'untyped' });
  return new Map(globals.map((global) => [global.name, global]));
}

function dictOf(args: PickleList, refuse: Refuse): PickleDict {
  const [items] = args;
  if (items === undefined) return new Map();
  if (items instanceof Map) return items;
  if (!Array.isArray(items)) throw refuse('a dictionary is made from something else');
  return new Map(
    items.map((item) => {
      if (!Array.isArray(item) || item.length !== 2) throw refuse('a dictionary item is no pair');
      return [item[0] ?? null, item[1] ?? null];
    }),
  );
}

function listOf(args: PickleList, refuse: Refuse): PickleList {
  const [items] = args;
  if (items === undefined) return [];
  if (!Array.isArray(items)) throw refuse('a list is made from something else');
  return items;
}

/** Python 3 writes bytes into protocol 2 as text, one character for each byte. */
function bytesOf(args: PickleList, refuse: Refuse): Uint8Array {
  const [text] = args;
  if (text === undefined) return new Uint8Array(0);
  if (text instanceof Uint8Array) return text;
  if (typeof text !== 'string') throw refuse('bytes are made from something else');
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** (storage, offset, size, stride, …): the rest is about gradients. */
function rebuildTensor(args: PickleList, refuse: Refuse): TensorRef {
  const [storage, offset, shape, strides] = args;
  if (!hasKind(storage, 'storage') || typeof offset !== 'number') {
    throw refuse('a tensor has no storage');
  }
  return {
    kind: 'tensor',
    storage,
    // So does PyTorch: bytes are what an untyped storage holds.
    type: storage.type === 'untyped' ? 'uint8' : storage.type,
    typeName: storage.typeName,
    offset,
    shape: numbersOf(shape, refuse),
    strides: numbersOf(strides, refuse),
  };
}

/** (storage, offset, size, stride, requires_grad, hooks, dtype, …) with an untyped storage. */
function rebuildTensorOfType(args: PickleList, refuse: Refuse): TensorRef {
  const dtype = args[6];
  if (!hasKind(dtype, 'global') || dtype.storage === undefined || dtype.storage === 'untyped') {
    throw refuse('a tensor has no element type');
  }
  return { ...rebuildTensor(args, refuse), type: dtype.storage, typeName: dtype.name };
}

/** (tensor, …) */
function rebuildParameter(args: PickleList, refuse: Refuse): TensorRef {
  const [tensor] = args;
  if (!hasKind(tensor, 'tensor')) throw refuse('a parameter has no tensor');
  return tensor;
}

/** (function, class, its arguments, state): a tensor with attributes. */
function rebuildSubclass(args: PickleList, refuse: Refuse): TensorRef {
  const [rebuild, , inner] = args;
  // Only the plain forms: one that allowed itself here could nest without end.
  const plain = [rebuildTensor, rebuildTensorOfType, rebuildParameter];
  const build = hasKind(rebuild, 'global')
    ? plain.find((candidate) => candidate === rebuild.build)
    : undefined;
  if (!build || !Array.isArray(inner)) throw refuse('a tensor is made in an unknown way');
  return build(inner, refuse);
}

function numbersOf(value: PickleValue | undefined, refuse: Refuse): readonly number[] {
  if (!Array.isArray(value)) throw refuse('a tensor has no shape');
  // Looked at here already: the same endless shape could be used by every tensor.
  if (value.length > MAX_AXES) {
    throw refuse(`a tensor has ${value.length} axes; the limit is ${MAX_AXES}`);
  }
  return value.map((item) => {
    if (typeof item !== 'number') throw refuse('a tensor has a shape that is not of numbers');
    return item;
  });
}
