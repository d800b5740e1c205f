import { implement, ORPCError } from '@orpc/server';
import { contract, ERROR_STATUS } from '#api/contract';
import { encodeError, StudioError, type WireError } from '#api/errors';
import { dropPixels, purgePictures } from './library/disposal.ts';
import { importPictures } from './library/incoming.ts';
import { inspectFiles } from './library/incoming-files.ts';
import type { OpenStudio } from './open-studio.ts';

const CANCELS: ReadonlySet<string> = new Set(['library.cancelMove', 'library.cancelTransfer']);

/** The contract over an open studio. Every failure leaves it as one of the contract's errors. */
export function createRouter(studio: OpenStudio) {
  const os = implement(contract).use(async ({ next, path }) => {
    try {
      // A cancel has no time to wait for a library that is opened again just now.
      if (!CANCELS.has(path.join('.'))) await studio.library.settled();
      return await next();
    } catch (error) {
      throw typedError(error);
    }
  });
  const { shop, queue, gallery, models, mosaics, replays, library } = studio;
  const history = () => shop.history();

  return os.router({
    studio: {
      status: os.studio.status.handler(() => studio.status()),
      events: os.studio.events.handler(({ signal }) => studio.events(signal)),
      doctor: os.studio.doctor.handler(() => studio.doctor()),
      settings: os.studio.settings.handler(() => shop.settings.get()),
      configure: os.studio.configure.handler(({ input }) => studio.configure(given(input))),
      undoState: os.studio.undoState.handler(() => history().changes.state()),
      undoSteps: os.studio.undoSteps.handler(() => history().changes.steps()),
      undo: os.studio.undo.handler(() => gallery.step('undo')),
      redo: os.studio.redo.handler(() => gallery.step('redo')),
      backup: os.studio.backup.handler(() => studio.backup()),
    },
    session: {
      get: os.session.get.handler(() => studio.session()),
      put: os.session.put.handler(({ input }) => {
        shop.session.change(input);
        return { kept: true };
      }),
    },
    library: {
      place: os.library.place.handler(() => library.place()),
      move: os.library.move.handler(({ input }) => library.move(input.folder)),
      cancelMove: os.library.cancelMove.handler(() => ({ cancelled: library.cancelMove() })),
      reopen: os.library.reopen.handler(({ input }) => library.reopen(input.readOnly)),
      repair: os.library.repair.handler(({ input }) => library.repair(input?.anew)),
      choose: os.library.choose.handler(({ input }) => library.choose(input.folder)),
      reindex: os.library.reindex.handler(() => library.reindex()),
      export: os.library.export.handler(({ input }) => library.export(input.folder)),
      import: os.library.import.handler(({ input }) => library.import(input.folder)),
      cancelTransfer: os.library.cancelTransfer.handler(() => ({
        cancelled: library.cancelTransfer(),
      })),
    },
    jobs: {
      create: os.jobs.create.handler(({ input }) => queue.create(input)),
      list: os.jobs.list.handler(() => queue.list().jobs),
      cancel: os.jobs.cancel.handler(({ input }) => queue.cancel(input.id)),
      get: os.jobs.get.handler(({ input }) => queue.get(input.id)),
      clear: os.jobs.clear.handler(() => queue.clear()),
      unclear: os.jobs.unclear.handler(({ input }) => ({ count: queue.unclear(input.mark) })),
      discard: os.jobs.discard.handler(({ input }) => queue.discard(input.id)),
      retry: os.jobs.retry.handler(({ input }) => queue.retry(input.id)),
      move: os.jobs.move.handler(({ input }) => queue.move(input.id, input.before)),
      dismiss: os.jobs.dismiss.handler(({ input }) => queue.dismiss(input.id)),
      pause: os.jobs.pause.handler(async ({ input }) => ({
        paused: await queue.pause(input.paused),
      })),
    },
    images: {
      summary: os.images.summary.handler(() => studio.summary()),
      search: os.images.search.handler(({ input }) => history().images.search(input)),
      choices: os.images.choices.handler(() => history().images.choices()),
      rows: os.images.rows.handler(({ input }) => history().images.rows(input.ids)),
      get: os.images.get.handler(({ input }) => gallery.detail(input.id)),
      update: os.images.update.handler(({ input }) => gallery.update(input)),
      remove: os.images.remove.handler(({ input }) => gallery.remove(input.ids)),
      restore: os.images.restore.handler(({ input }) => gallery.restore(input.ids)),
      emptyBin: os.images.emptyBin.handler(async () => ({ removed: await studio.emptyBin() })),
      purge: os.images.purge.handler(async ({ input }) => ({
        removed: await purgePictures(shop, input.ids),
      })),
      dropPixels: os.images.dropPixels.handler(({ input }) => dropPixels(shop, input.ids)),
      similar: os.images.similar.handler(({ input }) =>
        history().images.similar(input.id, input.limit),
      ),
      replay: os.images.replay.handler(({ input }) => replays.replay(input.id)),
      rebuild: os.images.rebuild.handler(async ({ input }) => {
        await replays.rebuild(input.id);
        return gallery.detail(input.id);
      }),
      steps: os.images.steps.handler(({ input }) => replays.steps(input.id)),
      inspect: os.images.inspect.handler(({ input }) => inspectFiles(shop, input.files)),
      import: os.images.import.handler(({ input }) =>
        importPictures(shop, input.files, input.into),
      ),
      export: os.images.export.handler(({ input: { ids, metadata }, signal }) =>
        studio.exports.make(ids, { metadata, signal }),
      ),
      createBoard: os.images.createBoard.handler(({ input }) =>
        listed(studio, history().boards.create(input.name)),
      ),
      renameBoard: os.images.renameBoard.handler(({ input }) =>
        listed(studio, history().boards.rename(input.id, input.name)),
      ),
      removeBoard: os.images.removeBoard.handler(({ input }) =>
        listed(studio, { removed: history().boards.remove(input.id).item !== null }),
      ),
      saveSearch: os.images.saveSearch.handler(({ input }) =>
        listed(studio, history().searches.save(input.name, input.search)),
      ),
      removeSearch: os.images.removeSearch.handler(({ input }) =>
        listed(studio, { removed: history().searches.remove(input.id).item !== null }),
      ),
    },
    models: {
      list: os.models.list.handler(() => models.list()),
      mosaic: os.models.mosaic.handler(({ input }) => mosaics.ask(input.id)),
      offer: os.models.offer.handler(({ input }) => models.offer(input)),
      import: os.models.import.handler(({ input }) => models.import(input)),
      cancelImport: os.models.cancelImport.handler(() => ({ cancelled: models.cancelImport() })),
      verify: os.models.verify.handler(async ({ input }) => ({
        problems: await models.verify(input.id),
      })),
      remove: os.models.remove.handler(({ input }) => models.remove(input.id)),
    },
  });
}

/** Tells windows that a list beside the pictures changed, and gives the answer on. */
function listed<T>({ shop }: OpenStudio, answer: T): T {
  shop.events.publish({ kind: 'images', ids: [] });
  return answer;
}

/** An optional field that was left out is not one that was set to nothing. */
function given<T extends object>(input: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Anything thrown as one of the contract's errors, with the same code. */
function typedError(
  error: unknown,
): ORPCError<WireError['code'], Pick<WireError, 'field' | 'reason'>> {
  const { code, message, field, reason } = encodeError(validationError(error) ?? error);
  return new ORPCError(code, {
    defined: true,
    status: ERROR_STATUS[code],
    message,
    data: {
      ...(field === undefined ? {} : { field }),
      ...(reason === undefined ? {} : { reason }),
    },
    cause: error,
  });
}

/** oRPC's refusal of an input that does not fit its schema, as ours. */
function validationError(error: unknown): StudioError | null {
  if (!(error instanceof ORPCError) || error.code !== 'BAD_REQUEST') return null;
  const issue = firstIssue(error.data);
  const field = issue?.path.join('.') ?? '';
  const what = field === '' ? 'The request' : field;
  return new StudioError('invalid-request', `${what} is wrong: ${issue?.message ?? 'unknown'}.`, {
    field,
    cause: error,
  });
}

function firstIssue(data: unknown): { path: readonly string[]; message: string } | undefined {
  if (typeof data !== 'object' || data === null || !('issues' in data)) return undefined;
  const [issue]: readonly unknown[] = Array.isArray(data.issues) ? data.issues : [];
  if (typeof issue !== 'object' || issue === null) return undefined;
  const path = 'path' in issue && Array.isArray(issue.path) ? issue.path.map(String) : [];
  const message = 'message' in issue ? String(issue.message) : '';
  return { path, message };
}
