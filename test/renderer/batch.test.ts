import { expect, onTestFinished, test, vi } from 'vitest';
import type { ImageRow, MadeImage } from '../../main/api/images.ts';
import { Batch } from '../../renderer/generate/batch.svelte.ts';
import { openApp, until } from './helpers.ts';

const ROW: ImageRow = {
  ...{ id: 7, seed: 7, createdAt: 1, rating: 0, starred: false, operation: 'generate' },
  ...{ children: 0, file: 'present', size: 128, guidance: 6, deletedAt: null, version: 'v1' },
};
/** The rest of a picture says nothing to the strip. */
const made = (thumb: string | null) => [{ ...ROW, thumb } as MadeImage];
const THUMB = 'data:image/webp;base64,AAAA';

async function setUp(answer: readonly ImageRow[] = []) {
  const rows = vi.fn<() => Promise<unknown>>().mockResolvedValue(answer);
  const { app, fake, close } = openApp({}, { 'images.rows': rows });
  onTestFinished(close);
  const warmed: string[] = [];
  const batch = new Batch(app, async (address) => void warmed.push(address));
  await until(() => app.library.summary !== null);
  return { app, fake, batch, rows, warmed };
}

test('the strip asks for nothing of what a job has just made', async () => {
  const { fake, batch, rows, warmed } = await setUp();
  fake.emit({ kind: 'images', ids: [7], made: made(THUMB) });
  await until(() => batch.row(7) !== null);
  await batch.ensure([7]);
  expect([batch.thumb(7), warmed, rows.mock.calls]).toEqual([THUMB, [THUMB], []]);
});

test('the strip fetches a thumbnail that did not come along, and one of other pixels', async () => {
  const { fake, batch, rows } = await setUp([{ ...ROW, version: 'v2' }]);
  fake.emit({ kind: 'images', ids: [7], made: made(null) });
  await until(() => batch.thumb(7) === '/images/7/thumb?v=v1');
  fake.emit({ kind: 'images', ids: [7], made: made(THUMB) });
  await until(() => batch.thumb(7) === THUMB);
  // It was made again, as after a loss.
  fake.emit({ kind: 'images', ids: [7] });
  await until(() => batch.thumb(7) === '/images/7/thumb?v=v2');
  expect(rows).toHaveBeenCalledTimes(1);
});

test('the strip asks for thumbnails of the size that is chosen', async () => {
  const { app, fake, batch } = await setUp();
  fake.emit({ kind: 'images', ids: [7], made: made(null) });
  await until(() => batch.thumb(7) === '/images/7/thumb?v=v1');
  await app.settings.change({ thumbnailEdge: 512 });
  expect(batch.thumb(7)).toBe('/images/7/thumb-512?v=v1');
  fake.emit({ kind: 'images', ids: [7], made: made(THUMB) });
  await until(() => batch.thumb(7) === THUMB);
  await app.undoNow();
  expect(batch.thumb(7)).toBe('/images/7/thumb?v=v1');
});

test('new pictures are counted at once, and all is read again when the jobs are done', async () => {
  const { app, fake } = await setUp();
  const { total, unrated } = app.library.summary ?? { total: NaN, unrated: NaN };
  fake.emit({ kind: 'images', ids: [7], made: made(null) });
  await until(() => app.library.summary?.total === total + 1);
  expect(app.library.summary?.unrated).toBe(unrated + 1);
  // The stand-in's own library knows nothing of that picture.
  fake.emit({ ...{ kind: 'jobs', jobs: [], paused: false }, trouble: null, interrupted: null });
  await until(() => app.library.summary?.total === total);
});
