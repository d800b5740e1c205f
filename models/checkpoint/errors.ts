/** The ways a checkpoint file can be wrong. Stable: callers and tests match on it, never on words. */
export type CheckpointErrorCode =
  /** The file has no bytes. */
  | 'empty-file'
  /** A page of a web site was saved in place of the download. */
  | 'web-page'
  | 'text-file'
  /** A known kind of file that is not a PyTorch or safetensors checkpoint. */
  | 'unsupported-format'
  | 'unknown-format'
  /** The file ends before something that it announces. */
  | 'truncated'
  /** A claim is above a named limit. */
  | 'limit-exceeded'
  | 'zip-damaged'
  | 'zip-compressed'
  | 'zip-encrypted'
  | 'zip-duplicate-entry'
  | 'zip-overlapping-entries'
  /** Bytes do not match the CRC-32 that was stored with them. */
  | 'checksum-mismatch'
  /** A pickle names something outside the allow-list. */
  | 'pickle-forbidden-global'
  | 'pickle-unknown-opcode'
  | 'pickle-damaged'
  | 'legacy-damaged'
  /** Shape, strides and offset of a tensor do not make sense, or leave its storage. */
  | 'tensor-out-of-bounds'
  | 'storage-missing'
  /** A storage is not as long as its tensors say. */
  | 'storage-size'
  | 'unsupported-dtype'
  | 'big-endian'
  | 'safetensors-damaged'
  /** A checkpoint in form, without one tensor in it. */
  | 'no-tensors';

/** Where in which file something is wrong. */
export interface Where {
  readonly file: string;
  readonly key: string;
}

const DAMAGED = 'The file is damaged or lies about itself; get it again';
const OTHER = 'Choose a checkpoint: a .pth, .pt, .ckpt or .safetensors file';

/** What to do next, for errors whose reason does not say it. */
const ADVICE: Partial<Readonly<Record<CheckpointErrorCode, string>>> = {
  'text-file': OTHER,
  'unknown-format': OTHER,
  'no-tensors': OTHER,
  'limit-exceeded': 'No RCG checkpoint needs so much; get the file again, or another one',
  'zip-damaged': DAMAGED,
  'zip-duplicate-entry': DAMAGED,
  'zip-overlapping-entries': DAMAGED,
  'pickle-unknown-opcode': DAMAGED,
  'pickle-damaged': DAMAGED,
  'legacy-damaged': DAMAGED,
  'tensor-out-of-bounds': DAMAGED,
  'storage-missing': DAMAGED,
  'storage-size': DAMAGED,
  'safetensors-damaged': DAMAGED,
};

/** Characters of a name that a message shows; a hostile file can hold names of any length. */
const SHOWN = 120;

/**
 * A checkpoint that cannot be read. The message names the file, the key inside it where there is
 * one, the reason, and what to do next. Nothing has been run and nothing written when it is thrown.
 */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
  readonly code: CheckpointErrorCode;
  /** Name of the source. */
  readonly file: string;
  /** Tensor, record or header field at fault. */
  readonly key: string | undefined;

  constructor(
    code: CheckpointErrorCode,
    where: { readonly file: string; readonly key?: string | undefined },
    why: string,
  ) {
    const key = where.key === undefined ? '' : `${printable(where.key)}: `;
    const advice = ADVICE[code];
    super(`${where.file}: ${key}${why}${advice === undefined ? '' : `. ${advice}`}`);
    this.code = code;
    this.file = where.file;
    this.key = where.key;
  }
}

/** A name from a file, safe to print: one line, no control characters, not too long. */
export function printable(name: string): string {
  const line = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
