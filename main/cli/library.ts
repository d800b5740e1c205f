import { resolve } from 'node:path';
import { reasonText } from '#api/reasons';
import { hostOptions } from '#studio/host-options';
import { moveClosed, reindexClosed, type ClosedLibrary } from '#studio/library/closed';
import { whereLibrary } from '#studio/library/place';
import { withLibrary, type OpenedLibrary } from './open-library.ts';
import type { Session } from './session.ts';

/** library where */
export async function whereCommand({ studio, print }: Session): Promise<number> {
  const { folder, left, unfinished } = await whereLibrary(studio.home);
  const lines = [
    folder,
    ...(left === null
      ? []
      : [`An older copy of it is still in ${left}; delete that when you like.`]),
    ...(unfinished === null
      ? []
      : [`A move that was cut short left files in ${unfinished}; the next move clears them.`]),
  ];
  print.result({ folder, left, unfinished }, lines.join('\n'));
  return 0;
}

/** library move DIR */
export async function moveCommand(session: Session, folder: string): Promise<number> {
  const { print } = session;
  const moved = await moveClosed(closedLibrary(session), resolve(folder), (done, total, file) =>
    print.progress?.(total > 0 ? done / total : 0, file),
  );
  const left =
    moved.left === null
      ? ''
      : `\nThe old folder still holds files: ${moved.left}. Delete it when you like.`;
  print.result(moved, `The library is in ${moved.folder} now.${left}`);
  return 0;
}

/** library reindex */
export async function reindexCommand(session: Session): Promise<number> {
  const found = await reindexClosed(closedLibrary(session));
  const { adopted, missing, found: back, quarantined, unreadable, unfinished } = found;
  const { restored, note } = found;
  const lines = [
    `${adopted} pictures had no row and have one again`,
    `${back} pictures are there again`,
    `${missing} pictures have lost their file; their tokens are kept`,
    `${unfinished} unfinished files deleted`,
    `${quarantined.length} files are no pictures of ours, put aside`,
    ...quarantined.map((file) => `  ${file}`),
    `${restored} pictures have their ratings and tags again`,
    ...(note === null ? [] : [reasonText(note)]),
    `${unreadable.length} files could not be read and stay where they are`,
    ...unreadable.map((file) => `  ${file}`),
  ];
  session.print.result(found, lines.join('\n'));
  return 0;
}

/** library export FOLDER */
export async function exportCommand(session: Session, folder: string): Promise<number> {
  return transfer(session, async ({ client }) => {
    const done = await client.library.export({ folder: resolve(folder) });
    const lost =
      done.withoutFile === 0 ? '' : `; ${done.withoutFile} have no whole file, only their recipe`;
    session.print.result(done, `${done.pictures} pictures in ${done.folder}${lost}`);
  });
}

/** library import FOLDER */
export async function importCommand(session: Session, folder: string): Promise<number> {
  return transfer(session, async ({ client }) => {
    const done = await client.library.import({ folder: resolve(folder) });
    const models = done.missingModels.map(({ id }) => id).join(', ');
    const lines = [
      `${done.added} pictures came in; ${done.known} were here already`,
      ...(models === '' ? [] : [`Not installed here: ${models}`]),
    ];
    session.print.result(done, lines.join('\n'));
  });
}

/** Does it with a progress bar; Ctrl-C stops it where it is safe. */
function transfer(
  session: Session,
  work: (library: OpenedLibrary) => Promise<void>,
): Promise<number> {
  const { signal, print } = session;
  return withLibrary(session, {}, async (library) => {
    const cancel = (): void => void library.client.library.cancelTransfer().catch(() => undefined);
    signal.addEventListener('abort', cancel, { once: true });
    const watching = watch(library, print.progress);
    const doing = work(library);
    if (signal.aborted) cancel();
    try {
      await doing;
    } finally {
      await watching();
    }
    return 0;
  });
}

function watch({ client }: OpenedLibrary, draw: Session['print']['progress']) {
  const stop = new AbortController();
  const reading = (async () => {
    try {
      for await (const event of await client.studio.events(undefined, { signal: stop.signal })) {
        if (event.kind === 'transfer') draw?.(event.done / (event.total || 1), event.way);
      }
    } catch {
      // It was stopped, or cannot be followed: what is done does not depend on its being drawn.
    }
  })();
  return async (): Promise<void> => {
    stop.abort();
    await reading;
  };
}

function closedLibrary({ studio, io, signal }: Session): ClosedLibrary {
  return { ...hostOptions(studio.home, io.channel), signal };
}
