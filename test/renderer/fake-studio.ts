import { implement, ORPCError } from '@orpc/server';
import { contract } from '../../main/api/contract.ts';
import type { Settings } from '../../main/api/settings.ts';
import type { InspectedFile } from '../../main/api/exchange.ts';
import type { CreateJob, Job } from '../../main/api/jobs.ts';
import type { StudioEvent, StudioStatus } from '../../main/api/studio.ts';
import { FakeLibrary } from './fake-library.ts';
import { FAKE_DOCTOR, FAKE_MODELS, FAKE_SETTINGS } from './fake-model.ts';
import { FakeQueue } from './fake-queue.ts';
import { fakeSteps, MASK } from './fake-decode.ts';

export interface FakeOptions {
  readonly settings?: Partial<Settings>;
  readonly status?: Partial<StudioStatus>;
  /** Pictures that are there from the start. */
  readonly images?: number;
  readonly stepMs?: number;
  /** Address of what the codes look like, when the engine has made it. */
  readonly mosaic?: string;
}

const DAY_MS = 86_400_000;

/**
 * The contract in memory: what the interface talks to in tests until it meets a real host. It
 * makes no pictures; `fake-host.ts` brings pixels of its own.
 */
export function createFakeStudio(options: FakeOptions = {}) {
  let settings: Settings = { ...FAKE_SETTINGS, ...options.settings };
  const library = new FakeLibrary();
  let session: Record<string, string> = {};
  const nextSeed = () => 1 + Math.max(0, ...[...library.images.values()].map(({ seed }) => seed));
  const listeners = new Set<(event: StudioEvent) => void>();
  const emit = (event: StudioEvent) => {
    for (const listener of listeners) listener(event);
  };
  const save = (job: Job, index: number) => library.add(job, index);
  const queue = new FakeQueue({ emit, save, stepMs: options.stepMs ?? 100 });
  const wish = (seed: number): Job =>
    resolveJob({ source: { kind: 'sample' }, settings: { seed } }, 0, settings);
  // An hour apart back from a noon: days are as long at whatever hour the tests run.
  const noon = Math.floor(Date.now() / DAY_MS - 0.5) * DAY_MS + DAY_MS / 2;
  for (let index = 0; index < (options.images ?? 0); index++) {
    library.add(wish(1000 + index), 0, noon - index * 3_600_000);
  }

  const os = implement(contract);
  const image = (id: number) => {
    const found = library.images.get(id);
    if (found === undefined) throw new ORPCError('not-found', { message: 'Not there.' });
    return found;
  };
  const status = (): StudioStatus => ({
    version: '0.1.0',
    state: { kind: 'open' },
    libraryFolder: '/home/you/Pictures/Emoji studies',
    target: 'cpu-int8',
    cpu: 'AMD Ryzen 9, 16 threads, AVX2',
    memory: { used: 3.8e9, total: 64e9 },
    diskFree: 212e9,
    paused: queue.paused,
    ...options.status,
  });

  const cleared: (readonly Job[])[] = [];
  const router = os.router({
    studio: {
      status: os.studio.status.handler(status),
      events: os.studio.events.handler(async function* ({ signal }) {
        const { jobs, paused } = queue;
        const waiting: StudioEvent[] = [
          { kind: 'jobs', jobs, paused, trouble: null, interrupted: null },
        ];
        let wake = () => {};
        const listener = (event: StudioEvent) => {
          waiting.push(event);
          wake();
        };
        listeners.add(listener);
        signal?.addEventListener('abort', () => wake());
        try {
          while (signal?.aborted !== true) {
            const event = waiting.shift();
            if (event !== undefined) yield event;
            else await new Promise<void>((resolve) => (wake = resolve));
          }
        } finally {
          listeners.delete(listener);
        }
      }),
      doctor: os.studio.doctor.handler(() => FAKE_DOCTOR),
      settings: os.studio.settings.handler(() => settings),
      configure: os.studio.configure.handler(({ input }) => {
        settings = { ...settings, ...(input as Partial<Settings>) };
        emit({ kind: 'settings' });
        return settings;
      }),
      undoState: os.studio.undoState.handler(() => library.state()),
      undoSteps: os.studio.undoSteps.handler(() => library.steps()),
      undo: os.studio.undo.handler(() => {
        const state = library.undo();
        emit({ kind: 'images', ids: null });
        return state;
      }),
      redo: os.studio.redo.handler(() => library.state()),
      backup: os.studio.backup.handler(() => ({ file: 'backups/2026-11-23.sqlite' })),
    },
    session: {
      get: os.session.get.handler(() => ({ entries: session, nextSeed: nextSeed() })),
      put: os.session.put.handler(({ input }) => {
        session = { ...session, ...(input as Record<string, string>) };
        return { kept: true };
      }),
    },
    library: {
      place: os.library.place.handler(() => ({
        ...{ folder: status().libraryFolder, movable: true },
        ...{ left: null, unfinished: null },
      })),
      move: os.library.move.handler(({ input }) => {
        emit({ kind: 'move', done: 1, total: 2, file: 'images/1.png' });
        return { folder: input.folder, left: null };
      }),
      cancelMove: os.library.cancelMove.handler(() => ({ cancelled: true })),
      export: os.library.export.handler(({ input }) => {
        emit({ kind: 'transfer', way: 'export', done: 1, total: 2 });
        return { folder: input.folder, pictures: 2, withoutFile: 0, bytes: 1 };
      }),
      import: os.library.import.handler(() => {
        emit({ kind: 'transfer', way: 'import', done: 1, total: 4 });
        return { added: 2, known: 1, found: 0, boards: 0, searches: 0, missingModels: [] };
      }),
      cancelTransfer: os.library.cancelTransfer.handler(() => ({ cancelled: true })),
      reopen: os.library.reopen.handler(() => ({ state: status().state })),
      repair: os.library.repair.handler(() => ({
        ...{ state: { kind: 'open' as const }, kept: 'library-damaged.db', backup: null },
      })),
      choose: os.library.choose.handler(() => ({ state: status().state })),
      reindex: os.library.reindex.handler(() => ({
        ...{ adopted: 2, found: 1, missing: 0, unfinished: 0, quarantined: [], unreadable: [] },
        ...{ restored: 0, note: null },
      })),
    },
    jobs: {
      create: os.jobs.create.handler(({ input }) => {
        const job = resolveJob(input, queue.jobs.length + 1, settings);
        queue.jobs = [...queue.jobs, job];
        queue.tell();
        void queue.work();
        return job;
      }),
      list: os.jobs.list.handler(() => queue.jobs),
      cancel: os.jobs.cancel.handler(({ input }) => queue.change(input.id, { state: 'cancelled' })),
      get: os.jobs.get.handler(({ input }) => queue.change(input.id, {})),
      clear: os.jobs.clear.handler(() => {
        const open = queue.jobs.filter(({ state }) => isOpen(state));
        const mark = cleared.push(queue.jobs.filter(({ state }) => !isOpen(state))) + 1;
        const count = queue.jobs.length - open.length;
        queue.jobs = open;
        queue.tell();
        return { count, mark };
      }),
      unclear: os.jobs.unclear.handler(({ input }) => {
        const back = cleared[input.mark - 2] ?? [];
        queue.jobs = [...back, ...queue.jobs];
        queue.tell();
        return { count: back.length };
      }),
      discard: os.jobs.discard.handler(({ input }) => queue.change(input.id, { halfMade: null })),
      retry: os.jobs.retry.handler(({ input }) => {
        const job = queue.change(input.id, { state: 'queued', error: null });
        void queue.work();
        return job;
      }),
      move: os.jobs.move.handler(({ input }) => {
        const moved = queue.jobs.filter((job) => job.id === input.id);
        const rest = queue.jobs.filter((job) => job.id !== input.id);
        const at = rest.findIndex((job) => job.id === input.before);
        queue.jobs =
          at < 0 ? [...rest, ...moved] : [...rest.slice(0, at), ...moved, ...rest.slice(at)];
        queue.tell();
        return queue.jobs;
      }),
      dismiss: os.jobs.dismiss.handler(({ input }) => {
        queue.jobs = queue.jobs.filter((job) => job.id !== input.id);
        queue.tell();
        return queue.jobs;
      }),
      pause: os.jobs.pause.handler(({ input }) => {
        queue.paused = input.paused;
        queue.tell();
        void queue.work();
        return { paused: queue.paused };
      }),
    },
    images: {
      summary: os.images.summary.handler(() => library.summary()),
      search: os.images.search.handler(({ input }) => library.search(input)),
      choices: os.images.choices.handler(() => ({
        models: [
          { id: 'starter', hash: 'a'.repeat(64), title: 'Starter' },
          { id: 'removed', hash: 'b'.repeat(64), title: 'Removed model' },
        ],
        classes: [
          { model: 'starter', label: null },
          { model: 'removed', label: 2 },
        ],
        software: [{ name: 'rcg-studio 0.1.0', count: library.images.size }],
      })),
      rows: os.images.rows.handler(({ input }) => library.rows(input.ids)),
      get: os.images.get.handler(({ input }) => image(input.id)),
      update: os.images.update.handler(({ input }) => {
        const state = library.update(input);
        emit({ kind: 'images', ids: input.ids });
        return state;
      }),
      remove: os.images.remove.handler(({ input }) => {
        const state = library.remove(input.ids, Date.now());
        emit({ kind: 'images', ids: input.ids });
        return state;
      }),
      restore: os.images.restore.handler(({ input }) => {
        const state = library.remove(input.ids, null);
        emit({ kind: 'images', ids: input.ids });
        return state;
      }),
      emptyBin: os.images.emptyBin.handler(() => ({ removed: 0 })),
      purge: os.images.purge.handler(({ input }) => ({ removed: library.purge(input.ids) })),
      dropPixels: os.images.dropPixels.handler(({ input }) => library.dropPixels(input.ids)),
      similar: os.images.similar.handler(({ input }) =>
        [...library.images.keys()]
          .slice(0, input.limit)
          .map((id, index) => ({ id, cosine: 1 / (1 + index) })),
      ),
      replay: os.images.replay.handler(({ input }) => {
        const result = library.replay(image(input.id));
        emit({ kind: 'images', ids: [input.id] });
        return result;
      }),
      rebuild: os.images.rebuild.handler(({ input }) => library.rebuild(image(input.id))),
      steps: os.images.steps.handler(({ input }) => {
        const { recipe } = image(input.id);
        const steps = fakeSteps(recipe.seed, recipe.steps).map((step) => ({
          ...step,
          guidance: (recipe.guidance * step.step) / recipe.steps,
          preview: `/steps/${input.id}/${step.step}`,
        }));
        return { mask: MASK, steps };
      }),
      inspect: os.images.inspect.handler(({ input: { files } }) =>
        files.map(({ name }) => inspected(name)),
      ),
      import: os.images.import.handler(() => ({ ids: [], refused: [], undo: library.state() })),
      export: os.images.export.handler(({ input: { ids } }) => {
        const leftOut = ids
          .filter((id) => library.images.get(id)?.file !== 'present')
          .map((id) => ({ id, reason: { code: 'export-failed' as const, values: {} } }));
        const exported = ids.length - leftOut.length;
        const name = `rcg-studio-${exported}.zip`;
        return { address: `/exports/1/${name}`, name, bytes: 3, exported, leftOut };
      }),
      createBoard: os.images.createBoard.handler(({ input }) => {
        const board = { id: library.boards.length + 1, name: input.name, count: 0 };
        library.boards = [...library.boards, board];
        return board;
      }),
      renameBoard: os.images.renameBoard.handler(({ input }) => ({ ...input, count: 0 })),
      removeBoard: os.images.removeBoard.handler(() => ({ removed: true })),
      saveSearch: os.images.saveSearch.handler(({ input }) => ({ id: 1, ...input, count: 0 })),
      removeSearch: os.images.removeSearch.handler(() => ({ removed: true })),
    },
    models: {
      list: os.models.list.handler(() => FAKE_MODELS),
      mosaic: os.models.mosaic.handler(() => ({ address: options.mosaic ?? null })),
      offer: os.models.offer.handler(() => {
        throw new ORPCError('checkpoint-unreadable', { message: 'Not a checkpoint.' });
      }),
      import: os.models.import.handler(() => ({ id: 'starter' })),
      cancelImport: os.models.cancelImport.handler(() => ({ cancelled: true })),
      verify: os.models.verify.handler(() => ({ problems: [] })),
      remove: os.models.remove.handler(() => library.state()),
    },
  });
  return { router, queue, library, emit };
}

/** What the stand-in takes a file for: its name says it. */
function inspected(name: string): InspectedFile {
  const kinds = ['ours', 'recipe', 'here', 'binned', 'lost', 'refused'] as const;
  const kind = kinds.find((one) => name.startsWith(one)) ?? 'foreign';
  const reason = { code: 'picture-other' as const, values: { file: name } };
  const refusal = { name, code: 'picture-unreadable' as const, message: 'No picture.', reason };
  return {
    ...{ name, kind, id: kind === 'here' ? 1 : null, recipe: null },
    refusal: kind === 'refused' ? refusal : null,
  };
}

/** The plan of a job, as the studio would resolve it. */
function resolveJob({ source, settings }: CreateJob, id: number, defaults: Settings): Job {
  const { label = null, chunk = defaults.chunk, count = 4, ...rest } = settings;
  return {
    id,
    state: 'queued',
    createdAt: Date.now(),
    source,
    settings: {
      ...{ model: 'starter', target: 'cpu', seed: 1, rdmSteps: 250, eta: 1, steps: 20 },
      ...{ temperature: 6, guidance: 4, schedule: 'linear' as const },
      ...definedOnly(rest),
      ...{ label, chunk, count },
    } as Job['settings'],
    total: count,
    ...{ images: [], indexes: [], deleted: [], halfMade: null },
    ...{ error: null, timeLeft: null, together: null },
  };
}

function isOpen(state: Job['state']): boolean {
  return ['queued', 'running', 'paused'].includes(state);
}

function definedOnly<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}
