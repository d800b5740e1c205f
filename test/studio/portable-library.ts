import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { onTestFinished } from 'vitest';
import { openLibrary } from '#studio/models/installed';
import { openStudio, type OpenStudio, type OpenStudioOptions } from '#studio/open-studio';
import { savePicture } from '#studio/queue/picture-store';
import { createRouter } from '#studio/router';
import { WorkerClient } from '#worker/client';
import { fakeChannel } from '../cli/fake-io.ts';
import { NOON, recipeOf } from '../helpers/library.ts';
import type { StudioClient } from '../hosts/conformance.ts';
import { temporaryFolder } from './helpers.ts';

/** A library with an open studio, and a client of it. */
export interface TestLibrary {
  readonly root: string;
  readonly folder: string;
  readonly studio: OpenStudio;
  readonly client: StudioClient;
}

/** Opens the library of a data folder of its own, when its files and rows were compared. */
export async function openTestLibrary(
  root?: string,
  options: Partial<OpenStudioOptions> = {},
): Promise<TestLibrary> {
  const library = await startTestLibrary(root, options);
  await library.studio.ready;
  return library;
}

/** The same at once, with an engine that only pretends. */
export async function startTestLibrary(
  root?: string,
  options: Partial<OpenStudioOptions> = {},
): Promise<TestLibrary> {
  const home = root ?? (await temporaryFolder());
  const models = join(home, 'models');
  const studio = await openStudio({
    home: { root: home, models, cache: join(home, 'cache') },
    models: openLibrary(models, []),
    engine: () => new WorkerClient({ channel: fakeChannel().factory }),
    now: () => NOON,
    newId: () => randomUUID().replaceAll('-', ''),
    newSeed: () => 7,
    software: 'rcg-studio 0.0.0-test',
    settleMs: 0,
    ...options,
  });
  onTestFinished(() => studio.close());
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { root: home, folder: join(home, 'library'), studio, client };
}

/** Keeps pictures as a job would; gives their ids. */
export async function addPictures(
  { studio }: TestLibrary,
  seeds: readonly number[],
  parent?: number,
): Promise<readonly number[]> {
  const { shop } = studio;
  const ids: number[] = [];
  for (const seed of seeds) {
    const data = new Uint8Array(16 * 16 * 3).map((_, i) => (i * 7 + seed * 31) % 256);
    const parents =
      parent === undefined
        ? []
        : [
            {
              id: parent,
              uid: shop.history().images.get(parent).uid,
              operation: 'variation' as const,
            },
          ];
    const picture = {
      recipe: recipeOf(seed),
      modelTitle: 'Starter',
      operation: parents.length > 0 ? ('variation' as const) : ('generate' as const),
      parents,
      times: { representation: 1, tokens: 2, pixels: 3 },
      job: null,
    };
    const { id } = await savePicture(shop, { width: 16, height: 16, data }, picture);
    ids.push(id);
  }
  return ids;
}

/** A library with something of everything: marks, boards, searches, a child, the bin, dropped pixels. */
export async function fillLibrary(library: TestLibrary): Promise<readonly number[]> {
  const { client, studio } = library;
  const ids = await addPictures(library, [1, 2, 3, 4, 5, 6]);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = ids;
  const [child = 0] = await addPictures(library, [7], e);
  await client.images.update({ ids: [a, b], rating: 4, addTags: ['夕焼け', 'red'], starred: true });
  await client.images.update({ ids: [b], note: 'A quiet harbour\nat dusk' });
  const print = await client.images.createBoard({ name: 'Print' });
  await client.images.createBoard({ name: 'Empty' });
  await client.images.update({ ids: [a, c, f], addToBoard: print.id });
  await client.images.remove({ ids: [d] });
  const sort = { by: 'seed', descending: true } as const;
  const filter = { board: print.id, tags: ['red'] };
  const children = { parent: e, software: ['rcg-studio 0.9.0', 'rcg-studio 0.10.0'] };
  await client.images.saveSearch({ name: 'Red prints', search: { filter, sort } });
  await client.images.saveSearch({ name: 'Children', search: { filter: children, sort } });
  // As `dropPixels` does where the model is there.
  const history = studio.shop.history();
  const paths = history.images.dropFiles([e, f]);
  await studio.shop.files.remove(paths);
  history.bin.filesDeleted(paths);
  return [...ids, child];
}

/** Everything that a library knows, in words that do not depend on its ids. */
export function described({ studio }: TestLibrary): unknown {
  const history = studio.shop.history();
  const boards = new Map(history.boards.list().map(({ id, name }) => [id, name]));
  const all = [false, true].flatMap(
    (bin) =>
      history.images.search({ filter: { bin }, sort: { by: 'seed', descending: false } }).ids,
  );
  const images = all.map((id) => history.images.get(id));
  const uids = new Map(images.map(({ id, uid }) => [id, uid]));
  const { searches, tags, ...numbers } = history.images.summary();
  return {
    tags,
    total: numbers.total,
    bin: numbers.bin,
    software: history.images.choices().software,
    boards: [...boards.values()].sort(),
    searches: searches.map(({ name, count, search: { filter, sort } }) => ({
      name,
      count,
      sort,
      filter: {
        ...filter,
        board: boards.get(filter.board ?? 0),
        parent: uids.get(filter.parent ?? 0),
      },
    })),
    images: images
      .map(({ id: _, job: __, version: ___, childIds, ...image }) => ({
        ...image,
        children: childIds.map((child) => uids.get(child)).sort(),
        boards: image.boards.map((board) => boards.get(board)),
        parents: image.parents.map(({ id, operation }) => [uids.get(id), operation]),
      }))
      .sort((one, other) => (one.uid < other.uid ? -1 : 1)),
  };
}
