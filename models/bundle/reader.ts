import type { z } from 'zod';
import { openCheckpoint } from '#checkpoint/open';
import type { ByteSource, StateDict } from '#checkpoint/types';
import { manifestSchema } from './manifest.ts';
import type { Manifest, NetworkKind } from './manifest.ts';

/** The file that makes a folder a bundle. */
export const MANIFEST_FILE = 'manifest.json';
/** Longest manifest read: one of a model with 100,000 named classes stays well below. */
export const MAX_MANIFEST_BYTES = 32 * 2 ** 20;

/** The way in which a bundle is damaged. */
export type BundleErrorCode =
  /** The manifest is not JSON. */
  | 'not-json'
  /** A field of the manifest is missing, unknown or wrong. */
  | 'invalid'
  /** The manifest was written by a newer version of the program. */
  | 'newer-version';

/** A bundle that cannot be used; names the manifest's field where one is at fault. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: BundleErrorCode;
  /** Field of the manifest, dotted; null when it is not JSON at all. */
  readonly field: string | null;

  constructor(code: BundleErrorCode, field: string | null, message: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** Name of a network's weight file in a bundle. */
export function weightsFile(kind: NetworkKind): string {
  return `${kind}.safetensors`;
}

/**
 * Reads a manifest.
 * @throws BundleError
 */
export function readManifest(text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BundleError(
      'not-json',
      null,
      `${MANIFEST_FILE} is not JSON, so the model is damaged. Import it again.`,
    );
  }
  if (isNewer(json)) {
    throw new BundleError(
      'newer-version',
      'version',
      `${MANIFEST_FILE} was written by a newer version of RCG Studio. Update RCG Studio to use this model.`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = fieldOf(issue);
    throw new BundleError(
      'invalid',
      field,
      `${MANIFEST_FILE}: the field ${field === '' ? '(root)' : field} is wrong ` +
        `(${issue?.message ?? 'unknown'}), so the model is damaged. Import it again.`,
    );
  }
  requireFiles(parsed.data);
  return parsed.data;
}

/** Every network needs its weights among the files, and no name may stand twice. */
function requireFiles(manifest: Manifest): void {
  const names = new Set<string>();
  for (const [index, { path }] of manifest.files.entries()) {
    // Windows and macOS do not tell upper from lower case.
    const name = path.toLowerCase();
    if (names.has(name) || name === MANIFEST_FILE) {
      const message = `${MANIFEST_FILE} lists ${path} twice, so the model is damaged. Import it again.`;
      throw new BundleError('invalid', `files.${index}.path`, message);
    }
    names.add(name);
  }
  for (const kind of Object.keys(manifest.networks)) {
    const path = weightsFile(kind as NetworkKind);
    if (names.has(path)) continue;
    const message = `${MANIFEST_FILE} lists no ${path}, so the model is damaged. Import it again.`;
    throw new BundleError('invalid', `networks.${kind}`, message);
  }
}

function isNewer(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('version' in json)) return false;
  return typeof json.version === 'number' && json.version > 1;
}

function fieldOf(issue: z.core.$ZodIssue | undefined): string {
  if (!issue) return '';
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') path.push(issue.keys[0] ?? '');
  return path.join('.');
}

/**
 * Opens the weights of a network; tensors are read when they are asked for.
 * @throws CheckpointError when the file cannot be read, BundleError when it is no safetensors file
 */
export async function openWeights(source: ByteSource): Promise<StateDict> {
  const { format, stateDicts } = await openCheckpoint(source);
  if (format !== 'safetensors') {
    const message = `${source.name} is not a safetensors file, so the model is damaged. Import it again.`;
    throw new BundleError('invalid', null, message);
  }
  return stateDicts.get('') ?? new Map();
}
