import { stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import type { Manifest } from '#bundle/manifest';
import { MANIFEST_FILE, MAX_MANIFEST_BYTES, readManifest } from '#bundle/reader';
import { bundleFiles, bundleHash, finishManifest } from '#bundle/writer';
import type { WrittenFile } from '#bundle/writer';
import { openCheckpoint } from '#checkpoint/open';
import { streamRange } from '#checkpoint/source';
import type { Checkpoint } from '#checkpoint/types';
import { ImportError } from '#importer/errors';
import { recognise } from '#importer/recognise';
import { fileSource, writeFolderAtomically } from './files.ts';
import { hashStream, sha256, throwIfCancelled, writeHashed } from './hashing.ts';
import { asStudioError, readText, translating, withOpened } from './import-request.ts';
import type { Opened } from './import-request.ts';
import type { ImportPreview, ImportRequest, Methods } from './protocol.ts';

/** How a long job reports and is stopped. */
export interface JobOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (event: Methods['import']['event']) => void;
}

/**
 * What an import would do. Nothing is written.
 * @throws StudioError
 */
export async function previewImport(request: ImportRequest): Promise<ImportPreview> {
  return withOpened(request, async ({ plan, bytes }) => ({
    id: plan.id,
    title: plan.title.en,
    parts: plan.parts,
    missing: plan.missing,
    warnings: plan.warnings,
    licences: plan.licences,
    bytes,
  }));
}

/**
 * Imports checkpoint files as a bundle in the library. The bundle is there complete or not at all;
 * a model that is there already under the same id is left as it is.
 * @throws StudioError
 */
export async function importBundle(
  request: ImportRequest,
  options: JobOptions = {},
): Promise<Methods['import']['result']> {
  const library = resolve(request.library);
  return withOpened(request, async (opened) => {
    throwIfCancelled(options.signal);
    await requireSpace(library, opened.bytes);
    return writeFolderAtomically(library, async (unfinished) => {
      const files = await writeFiles(opened, { unfinished, options });
      const sources = new Map(opened.sources.map(({ name, size }) => [name, size]));
      const manifest = finishManifest(opened.plan, { files, sources, sha256 });
      const { id, there } = await placeFor(manifest, { library, given: request.id });
      const value = { id, hash: manifest.hash };
      if (there) return { folder: null, value };
      const text = new TextEncoder().encode(`${JSON.stringify({ ...manifest, id }, null, 2)}\n`);
      await writeHashed(join(unfinished, MANIFEST_FILE), oneChunk(text), options);
      throwIfCancelled(options.signal);
      return { folder: id, value };
    });
  });
}

/**
 * Compares every file of a bundle with its manifest.
 * @returns a reason for each problem; none when the bundle is whole
 * @throws StudioError when the folder cannot be read at all, or 'cancelled'
 */
export async function verifyBundle(folder: string, options: JobOptions = {}): Promise<Reason[]> {
  const problems: Reason[] = [];
  let manifest: Manifest;
  try {
    manifest = await loadManifest(folder);
  } catch (error) {
    if (!(error instanceof StudioError) || error.code !== 'bundle-damaged') throw error;
    return [error.reason ?? unreadable(basename(folder))];
  }
  const total = manifest.files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const file of manifest.files) {
    try {
      const source = await fileSource(join(folder, file.path));
      try {
        const chunks = streamRange(source, { offset: 0, length: source.size }, file.path);
        const found = await hashStream(chunks, {
          ...(options.signal === undefined ? {} : { signal: options.signal }),
          onBytes: (bytes) => {
            done += bytes;
            options.onProgress?.({ done: Math.min(done, total), total, file: file.path });
          },
        });
        if (found.size !== file.size) {
          const values = { file: file.path, found: found.size, expected: file.size };
          problems.push({ code: 'size-changed', values });
        } else if (found.sha256 !== file.sha256) {
          problems.push({ code: 'content-changed', values: { file: file.path } });
        }
      } finally {
        await source.close();
      }
    } catch (error) {
      const known = asStudioError(error);
      if (!(known instanceof StudioError) || known.code === 'cancelled') throw known;
      problems.push(known.reason ?? unreadable(file.path));
    }
  }
  if (bundleHash(manifest.networks, { files: manifest.files, sha256 }) !== manifest.hash) {
    problems.push({ code: 'manifest-changed', values: { file: MANIFEST_FILE } });
  }
  return problems;
}

const unreadable = (folder: string): Reason => ({ code: 'model-unreadable', values: { folder } });

/**
 * What a checkpoint holds, whether or not it can be imported.
 * @throws StudioError when it cannot be read
 */
export async function inspectCheckpoint(file: string): Promise<Methods['inspect']['result']> {
  return translating(async () => {
    const source = await fileSource(file);
    try {
      const checkpoint = await openCheckpoint(source, { crc32 });
      return {
        format: checkpoint.format,
        metadata: checkpoint.metadata,
        parts: await partsOf(checkpoint),
        tensors: [...checkpoint.stateDicts].flatMap(([section, tensors]) =>
          [...tensors].map(([key, { dtype, shape }]) => ({
            name: section === '' ? key : `${section}/${key}`,
            dtype,
            shape,
          })),
        ),
      };
    } finally {
      await source.close();
    }
  });
}

/** Networks of a checkpoint; what is wrong with it stands in their place, since it can be shown. */
async function partsOf(checkpoint: Checkpoint): Promise<Methods['inspect']['result']['parts']> {
  try {
    const { layout, parts } = await recognise(checkpoint);
    return parts.map(({ kind, weights, within }) => ({
      kind,
      about: `${weights.size} tensors, ${within === null ? layout : `carried along by ${within.toUpperCase()}`}`,
    }));
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    return [{ kind: 'unusable', about: error.message }];
  }
}

/**
 * Reads the manifest of an installed bundle.
 * @throws StudioError 'bundle-damaged' or 'file-unavailable'
 */
export async function loadManifest(folder: string): Promise<Manifest> {
  return translating(async () => {
    const path = join(folder, MANIFEST_FILE);
    const name = `${basename(folder)}/${MANIFEST_FILE}`;
    const text = await readText(path, { name, limit: MAX_MANIFEST_BYTES });
    return readManifest(text);
  });
}

/** Writes every file of the bundle but the manifest. */
async function writeFiles(
  { plan, attachments, bytes }: Opened,
  target: { readonly unfinished: string; readonly options: JobOptions },
): Promise<readonly WrittenFile[]> {
  const { unfinished, options } = target;
  const written: WrittenFile[] = [];
  let done = 0;
  const write = async (file: {
    readonly path: string;
    readonly size: number;
    readonly chunks: AsyncIterable<Uint8Array>;
  }): Promise<void> => {
    const { path } = file;
    const digest = await writeHashed(join(unfinished, path), file.chunks, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onBytes: (more) => {
        done += more;
        options.onProgress?.({ done, total: bytes, file: path });
      },
    });
    if (digest.size !== file.size) {
      throw new Error(`${path} came out with ${digest.size} bytes instead of ${file.size}`);
    }
    written.push({ path, ...digest });
  };
  for (const { path, size, chunks } of bundleFiles(plan)) {
    await write({ path, size, chunks: chunks() });
  }
  for (const { name: path, source } of attachments) {
    const { size } = source;
    await write({ path, size, chunks: streamRange(source, { offset: 0, length: size }, path) });
  }
  return written;
}

/** The id under which a bundle is to stand, and whether the same model stands there already. */
async function placeFor(
  manifest: Manifest,
  where: { readonly library: string; readonly given: string | null },
): Promise<{ id: string; there: boolean }> {
  for (let copy = 1; ; copy += 1) {
    const suffix = copy === 1 ? '' : `-${copy}`;
    const id = manifest.id.slice(0, 64 - suffix.length) + suffix;
    const folder = join(where.library, id);
    const taken = await stat(folder).then(
      () => true,
      () => false,
    );
    if (!taken) return { id, there: false };
    // A folder that is no readable bundle keeps its place: it may be somebody's.
    const other = await loadManifest(folder).catch(() => undefined);
    if (other?.hash === manifest.hash) return { id, there: true };
    if (where.given !== null) {
      const reason: Reason = { code: 'import-installed', values: { id } };
      throw new StudioError(
        'invalid-request',
        `There is another model with the id "${id}". Choose another id, or remove that model first.`,
        { field: 'id', reason },
      );
    }
  }
}

/** Fails early when the disk obviously cannot hold the bundle. */
async function requireSpace(library: string, bytes: number): Promise<void> {
  let folder = library;
  for (;;) {
    const disk = await statfs(folder).catch(() => undefined);
    if (disk) {
      const free = disk.bavail * disk.bsize;
      // Some network drives report no sizes at all.
      if (disk.blocks === 0 || free >= bytes) return;
      const values = { needed: megabytes(bytes), free: megabytes(free) };
      const reason: Reason = { code: 'no-space', values };
      throw new StudioError('disk-full', reasonText(reason), { reason });
    }
    if (dirname(folder) === folder) return;
    folder = dirname(folder);
  }
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
