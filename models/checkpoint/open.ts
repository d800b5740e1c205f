import { CheckpointError, type CheckpointErrorCode } from './errors.ts';
import { looksLikeSafetensors, openSafetensors } from './safetensors.ts';
import { readRange } from './source.ts';
import { LEGACY_MAGIC, readTorchLegacy } from './torch-legacy.ts';
import { OBJECT_TREE, readTorchZip, type OpenOptions } from './torch-zip.ts';
import type { ByteSource, Checkpoint } from './types.ts';
import { decodeLatin1, decodeUtf8 } from './utf8.ts';
import { readZip, type ZipArchive } from './zip.ts';

export type { OpenOptions } from './torch-zip.ts';

/** What the kind of a file is told from. */
const HEAD_BYTES = 4096;

/**
 * Opens a checkpoint of any layout, told apart by content. Only its directory is read; tensors are
 * read when asked for, and the source must stay open until then.
 * @throws CheckpointError when the file is no checkpoint, damaged, or asks for more than it may.
 */
export async function openCheckpoint(
  source: ByteSource,
  options: OpenOptions = {},
): Promise<Checkpoint> {
  const { name } = source;
  if (source.size === 0) {
    throw new CheckpointError('empty-file', { file: name }, 'the file is empty; get it again');
  }
  const range = { offset: 0, length: Math.min(HEAD_BYTES, source.size) };
  const head = await readRange(source, range, 'the file');
  if (startsWith(head, ZIP_MAGIC) || startsWith(head, EMPTY_ZIP_MAGIC)) {
    const archive = await readZip(source);
    const root = findRoot(archive);
    return { name, format: 'torch-zip', ...(await readTorchZip(archive, root, options)) };
  }
  if (startsWith(head, LEGACY_MAGIC)) {
    return { name, format: 'torch-legacy', ...(await readTorchLegacy(source)) };
  }
  if (looksLikeSafetensors(head)) {
    return openSafetensors(source);
  }
  throw explain(name, head);
}

const ZIP_MAGIC = [0x50, 0x4b, 3, 4];
const EMPTY_ZIP_MAGIC = [0x50, 0x4b, 5, 6];

/** The folder of the object tree, with its slash. */
function findRoot({ source, entries }: ZipArchive): string {
  const names = [...entries.keys()];
  const trees = names.filter((name) => name === OBJECT_TREE || name.endsWith(`/${OBJECT_TREE}`));
  const tree = trees.sort((a, b) => a.split('/').length - b.split('/').length)[0];
  if (tree === undefined) {
    const kind = names.some((name) => name.endsWith('.npy')) ? 'a NumPy archive' : 'a zip archive';
    throw unsupported(source.name, `${kind} that torch.save did not write`);
  }
  const root = tree.slice(0, -OBJECT_TREE.length);
  if (
    entries.has(`${root}constants.pkl`) ||
    names.some((name) => name.startsWith(`${root}code/`))
  ) {
    throw unsupported(source.name, 'a TorchScript program, which holds code');
  }
  return root;
}

/** First bytes of files that people may take for a checkpoint, and what those are. */
const KINDS: readonly (readonly [what: string, magic: readonly number[], at?: number])[] = [
  ['an HDF5 file (Keras, TensorFlow)', [0x89, 0x48, 0x44, 0x46]],
  ['a gzip archive; unpack it first', [0x1f, 0x8b]],
  ['a 7-Zip archive; unpack it first', [0x37, 0x7a, 0xbc, 0xaf]],
  ['a RAR archive; unpack it first', [0x52, 0x61, 0x72, 0x21]],
  ['a zstd archive; unpack it first', [0x28, 0xb5, 0x2f, 0xfd]],
  ['a tar archive; unpack it first', [0x75, 0x73, 0x74, 0x61, 0x72], 257],
  ['a GGUF file', [0x47, 0x47, 0x55, 0x46]],
  ['a NumPy array', [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ['a PNG picture', [0x89, 0x50, 0x4e, 0x47]],
  ['a JPEG picture', [0xff, 0xd8, 0xff]],
  ['a PDF document', [0x25, 0x50, 0x44, 0x46]],
  ['a Python pickle that torch.save did not write', [0x80, 2]],
  ['a Python pickle that torch.save did not write', [0x80, 3]],
  ['a Python pickle that torch.save did not write', [0x80, 4]],
  ['a Python pickle that torch.save did not write', [0x80, 5]],
  // Protobuf: a version from 1 to 15, then producer_name, domain, meta graph or graph.
  ...[0x12, 0x22, 0x3a].flatMap((field) =>
    Array.from(
      { length: 15 },
      (_, i) => ['an ONNX or TensorFlow model', [8, i + 1, field]] as const,
    ),
  ),
];

/** The error for a file that is none of the layouts, saying what it seems to be. */
function explain(file: string, head: Uint8Array): CheckpointError {
  const kind = KINDS.find(([, magic, at]) => startsWith(head.subarray(at ?? 0), magic));
  if (kind) return unsupported(file, kind[0]);
  const fail = (code: CheckpointErrorCode, why: string): CheckpointError =>
    new CheckpointError(code, { file }, why);
  const text = decodeLatin1(head).toLowerCase();
  if (/^[^a-z]*<(!doctype\s+html|html|head)/.test(text)) {
    const why =
      'is a web page, not a checkpoint. Google Drive asks for confirmation before it gives out ' +
      'a large file; open the link in a browser and confirm';
    return fail('web-page', why);
  }
  if (isText(head)) {
    const pointer = text.startsWith('version https://git-lfs');
    const why = pointer
      ? 'is a Git LFS pointer, not the file itself; fetch it with git lfs pull'
      : 'is a text file, not a checkpoint';
    return fail('text-file', why);
  }
  const why = 'is neither a PyTorch nor a safetensors checkpoint, or its first bytes are damaged';
  return fail('unknown-format', why);
}

function unsupported(file: string, what: string): CheckpointError {
  const why =
    `is ${what}. RCG Studio reads checkpoints that torch.save wrote ` +
    '(.pth, .pt, .ckpt) and safetensors files';
  return new CheckpointError('unsupported-format', { file }, why);
}

/** Whether bytes are readable text, but for a character that the end may cut. */
function isText(head: Uint8Array): boolean {
  if (head.some((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte)))
    return false;
  return [0, 1, 2, 3].some((cut) => decodeUtf8(head.subarray(0, head.length - cut)) !== undefined);
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}
