import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImportOffer } from '#api/contract';
import { StudioError } from '#api/errors';
import { reasonText, type Reason } from '#api/reasons';
import type { ModelInfo } from '#api/models';
import type { UndoState } from '#api/undo';
import { fileError, makeFolder, systemCode } from '#pictures/files';
import type { Engine } from '../studio.ts';
import type { Workshop } from '../workshop.ts';
import { dropUnusedGraphs } from './compiled.ts';
import { importFiles, planImport, type ImportFiles } from './imports.ts';
import { modelInfo } from './model-info.ts';

/** Removed models wait here, hidden: `.undo-<when>-<id>`. */
const HIDDEN = /^\.undo-(\d+)-(.+)$/;
/** Windows are told of an import's progress no more often than this. */
const TELL_MS = 100;

/** Installed models, as windows work with them. */
export interface Models {
  list(): Promise<readonly ModelInfo[]>;
  offer(files: ImportFiles): Promise<ImportOffer>;
  import(files: ImportFiles): Promise<{ readonly id: string }>;
  /** False when nothing is being imported. */
  cancelImport(): boolean;
  verify(id: string): Promise<readonly Reason[]>;
  /** Hides a model; it is deleted for good with the bin's old content. */
  remove(id: string): Promise<UndoState>;
  /**
   * Does to the folders what undo or redo is about to do to the log; `not-found` when that can never
   * be done any more.
   */
  step(payload: unknown, way: 'undo' | 'redo'): Promise<void>;
  /** Deletes for good what was removed before a time. */
  purge(before: number): Promise<void>;
  /** Gives removed models that no undo knows of, as of a lost record, their place in it. */
  recordHidden(): Promise<void>;
}

interface Removal {
  readonly model: string;
  readonly hidden: string;
}

/** @param engine for long work, so that it does not stand in the way of the queue's */
export function createModels(shop: Workshop, engine: Engine): Models {
  const { library, home, events } = shop;
  let importing: AbortController | undefined;
  const changed = (): void => events.publish({ kind: 'models' });

  const move = async (from: string, to: string): Promise<void> => {
    await rename(join(home.models, from), join(home.models, to)).catch((error: unknown) => {
      throw fileError(error, 'move', join(home.models, from));
    });
    changed();
  };

  const isThere = (name: string): Promise<boolean> =>
    stat(join(home.models, name)).then(
      () => true,
      (error: unknown) => {
        // What cannot be looked at is not gone.
        if (systemCode(error) === 'ENOENT') return false;
        throw fileError(error, 'read', join(home.models, name));
      },
    );

  return {
    list: async () => Promise.all((await library.list()).map(modelInfo)),
    async offer(files) {
      const request = await planImport(files, home.models);
      const preview = await engine.call('previewImport', request, { signal: shop.closing });
      await library.checkNewId(preview.id);
      return preview;
    },
    async import(files) {
      if (importing !== undefined) {
        const reason: Reason = { code: 'import-running', values: {} };
        throw new StudioError('invalid-request', reasonText(reason), { field: 'files', reason });
      }
      const abort = new AbortController();
      importing = abort;
      const signal = AbortSignal.any([abort.signal, shop.closing]);
      let told = -Infinity;
      try {
        const request = await planImport(files, home.models);
        const preview = await engine.call('previewImport', request, { signal });
        await library.checkNewId(preview.id);
        await makeFolder(home.models);
        const result = await importFiles(
          engine,
          { ...request, id: preview.id },
          {
            signal,
            onEvent: (event) => {
              if (shop.now() - told < TELL_MS && event.done < event.total) return;
              told = shop.now();
              events.publish({ kind: 'import', ...event });
            },
          },
        );
        // Its files were hashed while they were copied.
        await library.judge(result.id, null);
        changed();
        return { id: result.id };
      } finally {
        importing = undefined;
      }
    },
    cancelImport() {
      importing?.abort();
      return importing !== undefined;
    },
    async verify(id) {
      const entry = (await library.list()).find((one) => one.id === id);
      if (entry?.state === 'damaged') return [entry.problem];
      // One that is blocked is verified again.
      const { folder, manifest } = entry ?? (await library.find(id));
      const { problems } = await engine.call(
        'verify',
        { bundle: folder },
        { signal: shop.closing },
      );
      await library.judge(id, { hash: manifest.hash, at: shop.now(), problems });
      changed();
      return problems;
    },
    async remove(id) {
      const entry = (await library.list()).find((one) => one.id === id);
      if (entry === undefined) await library.find(id);
      if (entry?.shipped === true) {
        throw new StudioError(
          'invalid-request',
          `Model ${id} came with RCG Studio and cannot be removed; only imported models can.`,
          { field: 'id' },
        );
      }
      shop.checkWritable();
      const { changes } = shop.history();
      const removal: Removal = { model: id, hidden: `.undo-${shop.now()}-${id}` };
      // First: what is hidden and cannot be brought back is lost.
      const { item } = changes.recordOutside('model', removal);
      try {
        await move(removal.model, removal.hidden);
      } catch (error) {
        if (item !== null) changes.forget(item.id);
        throw error;
      }
      return changes.state();
    },
    async step(payload, way) {
      if (!isRemoval(payload)) return;
      const { model, hidden } = payload;
      const [from, to] = way === 'undo' ? [hidden, model] : [model, hidden];
      if (!(await isThere(from))) throw never('model-undo-gone', model);
      if (await isThere(to)) throw never('model-undo-taken', model);
      await move(from, to);
    },
    async purge(before) {
      for (const name of await readdir(home.models).catch(() => [])) {
        const when = HIDDEN.exec(name)?.[1];
        if (when === undefined || Number(when) >= before) continue;
        await rm(join(home.models, name), { recursive: true, force: true });
        const { outside, forget } = shop.history().changes;
        for (const { id, payload } of outside('model')) {
          if (isRemoval(payload) && payload.hidden === name) forget(id);
        }
      }
      await dropUnusedGraphs(home.cache, library);
    },
    async recordHidden() {
      const { outside, recordOutside } = shop.history().changes;
      const known = new Set(
        outside('model').map(({ payload }) => (isRemoval(payload) ? payload.hidden : '')),
      );
      for (const hidden of await readdir(home.models).catch(() => [])) {
        const model = HIDDEN.exec(hidden)?.[2];
        if (model === undefined || known.has(hidden) || (await isThere(model))) continue;
        recordOutside('model', { model, hidden } satisfies Removal);
      }
    },
  };
}

function never(code: 'model-undo-gone' | 'model-undo-taken', model: string): StudioError {
  const reason: Reason = { code, values: { model } };
  return new StudioError('not-found', reasonText(reason), { reason });
}

function isRemoval(payload: unknown): payload is Removal {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    'model' in payload &&
    typeof payload.model === 'string' &&
    'hidden' in payload &&
    typeof payload.hidden === 'string' &&
    HIDDEN.test(payload.hidden)
  );
}
