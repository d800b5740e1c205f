import type { Reason, ReasonCode } from '#api/reasons';
import type { BundleError, BundleErrorCode } from '#bundle/reader';
import type { CheckpointError, CheckpointErrorCode } from '#checkpoint/errors';
import type { ImportError, ImportErrorCode } from '#importer/errors';

// Errors of the lower layers as reasons that a person can be told in any language. Those layers
// know no interface; their own messages stay with the error, for those who want every detail.

const CHECKPOINT: Readonly<Record<CheckpointErrorCode, ReasonCode>> = {
  'empty-file': 'checkpoint-empty',
  'web-page': 'checkpoint-web-page',
  'text-file': 'checkpoint-text',
  'unsupported-format': 'checkpoint-other',
  'unknown-format': 'checkpoint-other',
  truncated: 'checkpoint-cut',
  'limit-exceeded': 'checkpoint-limit',
  'zip-damaged': 'checkpoint-damaged',
  'zip-compressed': 'checkpoint-unsupported',
  'zip-encrypted': 'checkpoint-unsupported',
  'zip-duplicate-entry': 'checkpoint-damaged',
  'zip-overlapping-entries': 'checkpoint-damaged',
  'checksum-mismatch': 'checkpoint-damaged',
  'pickle-forbidden-global': 'checkpoint-unsafe',
  'pickle-unknown-opcode': 'checkpoint-damaged',
  'pickle-damaged': 'checkpoint-damaged',
  'legacy-damaged': 'checkpoint-damaged',
  'tensor-out-of-bounds': 'checkpoint-damaged',
  'storage-missing': 'checkpoint-damaged',
  'storage-size': 'checkpoint-damaged',
  'unsupported-dtype': 'checkpoint-unsupported',
  'big-endian': 'checkpoint-unsupported',
  'safetensors-damaged': 'checkpoint-damaged',
  'no-tensors': 'checkpoint-no-tensors',
};

/** Why a checkpoint cannot be read. */
export function checkpointReason({ code, file }: CheckpointError): Reason {
  return { code: CHECKPOINT[code], values: { file } };
}

const IMPORT: Readonly<Record<ImportErrorCode, ReasonCode>> = {
  'no-weights': 'import-no-weights',
  'unknown-file': 'import-unknown-file',
  unsupported: 'import-unsupported',
  'unknown-key': 'import-unknown-key',
  'duplicate-key': 'import-duplicate-key',
  'no-ema': 'import-no-ema',
  'other-schedule': 'import-other-schedule',
  'wrong-weights': 'import-wrong-weights',
  'not-finite': 'import-not-finite',
  'unknown-size': 'import-needs-recipe',
  'missing-part': 'import-needs-mage',
  conflict: 'import-two-of-a-kind',
  'size-mismatch': 'import-sizes-differ',
  recipe: 'import-recipe',
  id: 'import-id',
};

/** Why files do not make a model. */
export function importReason({ code, file, key }: ImportError): Reason {
  if (code === 'missing-part' && key === 'vqgan') return { code: 'import-needs-vqgan', values: {} };
  // Two files with the same part, of which the key tells that they differ in size.
  if (code === 'conflict' && key !== null) {
    return { code: 'import-sizes-differ', values: { file: file ?? '' } };
  }
  return { code: IMPORT[code], values: { file: file ?? '', key: key ?? '' } };
}

const BUNDLE: Readonly<Record<BundleErrorCode, ReasonCode>> = {
  'not-json': 'manifest-not-json',
  invalid: 'manifest-wrong',
  'newer-version': 'manifest-newer',
};

/** Why an installed model cannot be used. @param file the manifest's name */
export function bundleReason(
  { code, field }: Pick<BundleError, 'code' | 'field'>,
  file: string,
): Reason {
  return {
    code: BUNDLE[code],
    values: { file, field: field === null || field === '' ? '…' : field },
  };
}
