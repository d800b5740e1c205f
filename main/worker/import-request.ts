import { basename, dirname, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import { manifestSchema } from '#bundle/manifest';
import { BundleError, MANIFEST_FILE } from '#bundle/reader';
import { bundleFiles } from '#bundle/writer';
import { CheckpointError } from '#checkpoint/errors';
import { openCheckpoint } from '#checkpoint/open';
import type { Checkpoint } from '#checkpoint/types';
import { ImportError } from '#importer/errors';
import { planImport } from '#importer/plan';
import type { ImportPlan } from '#importer/plan';
import { NetworkError } from '#networks/network';
import { fileError, fileSource, unavailable } from './files.ts';
import type { FileSource } from './files.ts';
import type { ImportRequest } from './protocol.ts';
import { bundleReason, checkpointReason, importReason } from './reasons.ts';

/** Longest model card that is read for its licence. */
const MAX_CARD_BYTES = 2 ** 20;
/** Files of one import: a model has four parts. */
const MAX_FILES = 16;
const MAX_ATTACHMENTS = 64;
/** The attachment that may name a licence. */
const CARD = 'CARD.md';

/** The opened files of an import, and what they make. */
export interface Opened {
  readonly plan: ImportPlan;
  readonly sources: readonly FileSource[];
  readonly attachments: readonly { readonly name: string; readonly source: FileSource }[];
  /** Bytes that the bundle will take, all but its manifest. */
  readonly bytes: number;
}

/**
 * Opens the files of a request, plans, works, and closes the files.
 * @throws StudioError
 */
export async function withOpened<T>(
  request: ImportRequest,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  return translating(async () => {
    checkRequest(request);
    const sources: FileSource[] = [];
    const attachments: { name: string; source: FileSource }[] = [];
    try {
      const checkpoints: Checkpoint[] = [];
      for (const { path, name } of named(request.files)) {
        const source = await fileSource(path, name);
        sources.push(source);
        checkpoints.push(await openCheckpoint(source, { crc32 }));
      }
      let card: string | undefined;
      for (const { name, path } of request.attachments) {
        attachments.push({ name, source: await fileSource(path, name) });
        if (name === CARD) card = await readText(path, { name, limit: MAX_CARD_BYTES });
      }
      const plan = await planImport(checkpoints, {
        recipe: request.recipe,
        id: request.id,
        ...(card === undefined ? {} : { card }),
      });
      const weights = bundleFiles(plan).reduce((sum, { size }) => sum + size, 0);
      const bytes = attachments.reduce((sum, { source }) => sum + source.size, weights);
      return await work({ plan, sources, attachments, bytes });
    } finally {
      const opened = [...sources, ...attachments.map(({ source }) => source)];
      await Promise.allSettled(opened.map((source) => source.close()));
    }
  });
}

/** Files with names that tell them apart: the folder's name too where two files are named alike. */
function named(files: readonly string[]): readonly { path: string; name: string }[] {
  const paths = [...new Set(files.map((file) => resolve(file)))];
  return paths.map((path) => {
    const twins = paths.filter((other) => basename(other) === basename(path));
    const name = twins.length > 1 ? `${basename(dirname(path))}/${basename(path)}` : basename(path);
    return { path, name };
  });
}

function checkRequest({ files, attachments }: ImportRequest): void {
  const refuse = (field: string, reason: Reason, why = reasonText(reason)) =>
    new StudioError('invalid-request', why, { field, reason });
  if (files.length === 0 || files.length > MAX_FILES) {
    const values = { most: MAX_FILES, count: files.length };
    throw refuse('files', { code: 'import-count', values });
  }
  const attached = (file: string): Reason => ({ code: 'import-attachment', values: { file } });
  if (attachments.length > MAX_ATTACHMENTS) {
    const reason = attached(attachments[MAX_ATTACHMENTS]?.name ?? '');
    throw refuse('attachments', reason, `At most ${MAX_ATTACHMENTS} files can be attached.`);
  }
  const taken = new Set([MANIFEST_FILE]);
  for (const kind of Object.keys(manifestSchema.shape.networks.shape)) {
    taken.add(`${kind}.safetensors`);
  }
  for (const { name } of attachments) {
    const valid = manifestSchema.shape.files.element.shape.path.safeParse(name).success;
    if (!valid) {
      throw refuse(
        'attachments',
        attached(name),
        `"${name}" cannot be attached: use a plain file name.`,
      );
    }
    if (taken.has(name.toLowerCase())) {
      throw refuse(
        'attachments',
        attached(name),
        `"${name}" cannot be attached: the model has a file of that name.`,
      );
    }
    taken.add(name.toLowerCase());
  }
}

/**
 * A small text file, UTF-8.
 * @throws StudioError 'file-unavailable'
 */
export async function readText(
  path: string,
  options: { readonly name: string; readonly limit: number },
): Promise<string> {
  const { name, limit } = options;
  try {
    const source = await fileSource(path, name);
    try {
      const { size } = source;
      if (size > limit) {
        const values = { file: name, bytes: size, most: limit };
        throw unavailable({ code: 'file-too-large', values });
      }
      return new TextDecoder().decode(await source.read(0, size));
    } finally {
      await source.close();
    }
  } catch (error) {
    throw fileError(error, name);
  }
}

/** Runs work of the lower layers and throws their errors as StudioErrors. */
export async function translating<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asStudioError(error);
  }
}

/** Errors of the lower layers as those of the interface, with the message they were given. */
export function asStudioError(error: unknown): unknown {
  if (error instanceof ImportError) {
    const reason = importReason(error);
    if (error.code === 'recipe' || error.code === 'id') {
      const field = error.code === 'id' ? 'id' : 'recipe';
      return new StudioError('invalid-request', error.message, { cause: error, field, reason });
    }
    return new StudioError('checkpoint-unreadable', error.message, { cause: error, reason });
  }
  if (error instanceof CheckpointError) {
    const reason = checkpointReason(error);
    return new StudioError('checkpoint-unreadable', error.message, { cause: error, reason });
  }
  if (error instanceof NetworkError) {
    return new StudioError('checkpoint-unreadable', error.message, { cause: error });
  }
  if (error instanceof BundleError) {
    const reason = bundleReason(error, MANIFEST_FILE);
    return new StudioError('bundle-damaged', error.message, { cause: error, reason });
  }
  return error;
}
