import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Snapshot } from '#history/snapshot';
import { fileError, syncFolder } from '#pictures/files';
import { writeHashed } from '#worker/hashing';
import type { Workshop } from '../workshop.ts';
import {
  DOCUMENT,
  documentBytes,
  documentHeader,
  pictureLineOf,
  readHeader,
  settingsLines,
  type DocumentLine,
} from './document.ts';
import { withoutFile } from './export.ts';
import { isKeptBy, keptBy, setKept } from './stamps.ts';

/** How often the studio looks for changes; the document is written when one look finds no more. */
const LOOK_EVERY = 30_000;
const TEMPORARY = `.${DOCUMENT}.tmp`;

type Shop = Pick<Workshop, 'history' | 'files' | 'newId' | 'now' | 'settings' | 'software'>;

/** The document beside the pictures, kept up with the record. */
export interface Sidecar {
  /** Writes it now, when anything changed. */
  keep(): Promise<void>;
  /** Stops, after writing what is not written yet. */
  close(): Promise<void>;
}

/**
 * Keeps a document of all that PNGs do not hold in the library's folder, so that a lost record costs
 * nothing. It is written whole, and only when the studio has been left in peace for a while.
 * @param suspicious the document may be behind the record: the studio was killed, perhaps
 */
export function startSidecar(shop: Shop, suspicious: boolean): Sidecar {
  const written = (): string =>
    JSON.stringify([shop.history().portable.written(), shop.settings.get()]);
  const isThere = existsSync(join(shop.files.folder, DOCUMENT));
  /** What `written` was when the document was last like the record. */
  let kept = suspicious || !isThere ? null : written();
  let seen = '';
  let running: Promise<void> = Promise.resolve();

  const keep = (): Promise<void> => {
    running = running
      .then(async () => {
        const now = written();
        if (now !== kept && (await writeSidecar(shop))) kept = now;
      })
      // A full disk, or a folder that is away: the next look tries again.
      .catch(() => undefined);
    return running;
  };
  const look = (): void => {
    const now = written();
    if (now === seen) void keep();
    seen = now;
  };
  const timer = setInterval(look, LOOK_EVERY);
  timer.unref();
  return {
    keep,
    async close() {
      clearInterval(timer);
      await keep();
    },
  };
}

/**
 * Writes the document of a library's folder, whole or not at all. False when there is one of another
 * record, which nobody has taken in yet.
 */
async function writeSidecar(shop: Shop): Promise<boolean> {
  const { folder } = shop.files;
  const path = join(folder, DOCUMENT);
  const temporary = join(folder, TEMPORARY);
  const history = shop.history();
  const there = await readHeader(path);
  if (there !== null && !isKeptBy(history, there.stamp)) return false;
  const header = documentHeader({ stamp: shop.newId(), software: shop.software, at: shop.now() });
  const { stamp, at } = header;
  const snapshot = history.portable.snapshot();
  try {
    let lines = 0;
    const counted = async function* () {
      for await (const some of markedLines(shop, snapshot)) {
        lines += some.length;
        yield some;
      }
    };
    await rm(temporary, { force: true });
    await writeHashed(temporary, documentBytes(header, counted()), {});
    if (lines === 0 && there === null) {
      await rm(temporary, { force: true });
      return true;
    }
    // Known before it is there: a kill in between must not make it look like another record's.
    const known = keptBy(history);
    setKept(history, { stamps: [...known.stamps.slice(-1), stamp], at: known.at });
    await rename(temporary, path);
    await syncFolder(folder);
    setKept(history, { stamps: [stamp], at });
    return true;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, 'write', path);
  } finally {
    snapshot.close();
  }
}

async function* markedLines(
  { settings }: Pick<Shop, 'settings'>,
  snapshot: Snapshot,
): AsyncGenerator<readonly DocumentLine[]> {
  yield settingsLines(settings.get());
  const { boards, searches } = snapshot;
  yield boards.map((name) => ({ kind: 'board' as const, name }));
  yield searches.map((search) => ({ kind: 'search' as const, ...search }));
  let named = false;
  for (const some of snapshot.read('marked')) {
    // They matter only where there are pictures.
    if (!named && some.length > 0) {
      yield snapshot.models.map((model) => ({ kind: 'model' as const, ...model }));
      named = true;
    }
    yield some.map((picture) => {
      const lost = picture.file !== 'present';
      return pictureLineOf(picture, lost ? { without: withoutFile(snapshot, picture) } : {});
    });
    // Whoever waits for the studio comes first.
    await breathe();
  }
}
