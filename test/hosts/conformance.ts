import type { ContractRouterClient } from '@orpc/contract';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Contract } from '#api/contract';
import type { ErrorCode } from '#api/errors';
import type { ImageFilter } from '#api/gallery';
import type { Job } from '#api/jobs';
import { listen } from './events.ts';
import { REFUSED_CALLS } from './refused-calls.ts';

export type StudioClient = ContractRouterClient<Contract>;

/** A studio with the tiny model, reached as one host's clients reach it. */
export interface Connection {
  readonly client: StudioClient;
  /** The picture at an address of the contract. */
  readonly picture: (address: string) => Promise<{
    readonly status: number;
    readonly type: string | null;
    readonly bytes: Uint8Array;
  }>;
}

/** Opens a fresh library; whatever it opens is closed after the test. */
export type Connect = () => Promise<Connection>;

/** What every host with a library must do alike; `shared.ts` has what the others can do too. */
export function conformance(name: string, connect: Connect): void {
  describe(`the contract over ${name}`, () => {
    test('a job makes pictures, tells of them, and keeps them', async () => {
      const { client, picture } = await connect();
      const told = await listen(client);
      const job = await client.jobs.create(sample({ count: 3, seed: 40 }));
      expect(job).toMatchObject({ total: 3, images: [], error: null });
      expect(job.settings).toMatchObject({
        model: 'tiny',
        seed: 40,
        count: 3,
        steps: 4,
        label: null,
      });

      const done = await ended(client, job.id);
      expect(done).toMatchObject({ state: 'done', error: null });
      expect(done.images).toHaveLength(3);
      const { ids } = await client.images.search(newest);
      expect(ids).toEqual(done.images.toReversed());
      const rows = await client.images.rows({ ids: [...ids, 999] });
      expect(rows.map((row) => [row.seed, row.operation, row.file, row.size])).toEqual([
        [42, 'generate', 'present', 32],
        [41, 'generate', 'present', 32],
        [40, 'generate', 'present', 32],
      ]);

      const [row] = rows;
      const full = await picture(`/images/${row?.id}/full?v=${row?.version}`);
      expect([full.status, full.type]).toEqual([200, 'image/png']);
      expect(await sharp(full.bytes).metadata()).toMatchObject({ width: 32, height: 32 });
      const thumb = await picture(`/images/${row?.id}/thumb?v=${row?.version}`);
      expect([thumb.status, thumb.type]).toEqual([200, 'image/webp']);
      const large = await picture(`/images/${row?.id}/thumb-512?v=${row?.version}`);
      expect([large.status, large.type]).toEqual([200, 'image/webp']);
      expect((await picture(`/images/${row?.id}/thumb-1024`)).status).toBe(404);
      expect((await picture('/images/999/full')).status).toBe(404);

      expect(told.seen[0]).toMatchObject({ kind: 'jobs', jobs: [], paused: false });
      await told.first('images');
      await told.last('jobs', { jobs: [{ id: job.id, state: 'done', total: 3 }] });
      await told.stop();
    });

    test('a window goes on where the last one was, with a seed that is free', async () => {
      const { client } = await connect();
      expect(await client.session.get()).toEqual({ entries: {}, nextSeed: 1 });
      await client.session.put({ draft: 'one', place: '#/gallery' });
      await client.session.put({ draft: 'two', place: null });
      const { id } = await client.jobs.create(sample({ count: 3, seed: 40 }));
      expect(await client.session.get()).toEqual({ entries: { draft: 'two' }, nextSeed: 43 });
      const { images } = await ended(client, id);
      await client.jobs.dismiss({ id });
      await client.images.remove({ ids: [...images] });
      expect((await client.session.get()).nextSeed).toBe(43);
      await expect(client.session.put({ draft: 'x'.repeat(40_000) })).rejects.toMatchObject({
        code: 'invalid-request',
      });
      expect((await client.session.get()).entries).toEqual({ draft: 'two' });
    });

    test('a picture’s steps end in its tokens, and each can be seen', async () => {
      const { client, picture } = await connect();
      const { images } = await ended(client, (await client.jobs.create(sample({ seed: 3 }))).id);
      const { mask, steps } = await client.images.steps({ id: images[0] ?? 0 });
      expect(steps.map((step) => step.step)).toEqual([1, 2, 3, 4]);
      const open = steps.map(({ tokens }) => tokens.filter((token) => token === mask).length);
      expect(open).toEqual(open.toSorted((a, b) => b - a));
      expect(open.at(-1)).toBe(0);
      expect(steps.every(({ entropy }) => entropy.length === 256)).toBe(true);
      const seen = await picture(steps[1]?.preview ?? '');
      expect([seen.status, seen.type]).toEqual([200, 'image/png']);
      expect((await picture(`/steps/${images[0]}/99`)).status).toBe(404);
    });

    test('what a replay shows is kept, told, and filtered by', async () => {
      const { client } = await connect();
      const { images } = await ended(client, (await client.jobs.create(sample({ count: 2 }))).id);
      const [id = 0, other = 0] = images;
      const found = async (...replays: NonNullable<ImageFilter['replays']>) =>
        (await client.images.search({ ...newest, filter: { replays } })).ids;
      expect((await client.images.get({ id })).replay).toBeNull();
      const told = await listen(client);
      const before = Date.now();
      const shown = await client.images.replay({ id });
      await told.last('images', { ids: [id] });
      await told.stop();
      expect(shown).toMatchObject({ differing: 0, tokens: 256 });
      expect(shown.checkedAt).toBeGreaterThanOrEqual(before);
      const { recipe, replay } = await client.images.get({ id });
      expect(replay).toEqual({ differing: 0, target: recipe.target, checkedAt: shown.checkedAt });
      expect([await found('match'), await found('differ'), await found('unchecked')]).toEqual([
        [id],
        [],
        [other],
      ]);
      expect((await client.studio.undoState()).undo).toBeNull();
    });

    test('variations start from a picture and know their parent', async () => {
      const { client } = await connect();
      const [parent = 0] = (await ended(client, (await client.jobs.create(sample({}))).id)).images;
      const job = await client.jobs.create({
        source: { kind: 'image', image: parent },
        settings: { count: 2, seed: 100 },
      });
      const { images } = await ended(client, job.id);
      const child = await client.images.get({ id: images[0] ?? 0 });
      const { representation } = (await client.images.get({ id: parent })).recipe;
      expect(child).toMatchObject({ operation: 'variation', parents: [{ id: parent }] });
      expect(child.recipe.representation).toBe(representation);
      expect((await client.images.get({ id: parent })).childIds).toEqual(images);
    });

    test('marks, boards and searches find pictures; delete and undo bring them back', async () => {
      const { client } = await connect();
      const { images } = await ended(
        client,
        (await client.jobs.create(sample({ count: 2, seed: 20 }))).id,
      );
      const [first = 0, second = 0] = images;
      await client.images.update({
        ids: [first],
        rating: 4,
        addTags: ['moss'],
        note: 'by the lake',
      });
      const found = async (text: string) =>
        (await client.images.search({ filter: { text }, sort: newest.sort })).ids;
      expect(await found('moss')).toEqual([first]);
      expect(await found('lake')).toEqual([first]);
      expect(await found('21')).toEqual([second]);
      const search = (filter: ImageFilter) =>
        client.images.search({ filter, sort: newest.sort }).then(({ ids }) => ids);
      const { models, classes, software } = await client.images.choices();
      expect(models).toMatchObject([{ id: 'tiny', title: 'Tiny' }]);
      expect(classes).toEqual([{ model: 'tiny', label: null }]);
      expect(await search({ classes: ['tiny:any'] })).toHaveLength(2);
      expect(await search({ classes: ['other:any'] })).toEqual([]);
      expect(await search({ hashes: [models[0]?.hash ?? ''], sources: ['sample'] })).toHaveLength(
        2,
      );
      expect(software).toEqual([
        { name: (await client.images.get({ id: first })).recipe.software, count: 2 },
      ]);
      expect(await search({ software: software.map(({ name }) => name) })).toHaveLength(2);
      expect(await search({ software: ['rcg-studio'] })).toEqual([]);
      await client.images.dropPixels({ ids: [second] });
      expect(await search({ files: ['dropped'] })).toEqual([second]);
      const board = await client.images.createBoard({ name: 'Best' });
      await client.images.update({ ids: [second], addToBoard: board.id });
      const saved = await client.images.saveSearch({ name: 'Good', search: good });
      expect(saved.count).toBe(1);

      expect((await client.images.remove({ ids: [first] })).undo).toMatchObject({ kind: 'delete' });
      expect(await found('moss')).toEqual([]);
      expect(await client.images.summary()).toMatchObject({
        total: 1,
        bin: 1,
        boards: [{ name: 'Best', count: 1 }],
      });
      const { undo } = await client.studio.undoSteps();
      expect(undo.map(({ kind, count }) => `${kind} ${count}`)).toEqual([
        ...['delete 1', 'board 1', 'rate 1'],
      ]);
      expect(undo.every(({ at }) => Math.abs(Date.now() - at) < 600_000)).toBe(true);
      expect((await client.studio.undo()).redo).toMatchObject({ kind: 'delete' });
      expect(await client.studio.undoSteps()).toEqual({ undo: undo.slice(1), redo: [undo[0]] });
      expect(await found('moss')).toEqual([first]);
      await client.studio.redo();
      expect(await client.images.emptyBin()).toEqual({ removed: 1 });
      await fails(client.images.get({ id: first }), 'not-found');
    });

    test('a text goes below the notes of many in one step, or of none of them', async () => {
      const { client } = await connect();
      const { images } = await ended(client, (await client.jobs.create(sample({ count: 2 }))).id);
      const ids = [...images];
      const [first = 0] = ids;
      const notes = () =>
        Promise.all(ids.map((id) => client.images.get({ id }))).then((all) =>
          all.map(({ note }) => note),
        );
      await client.images.update({ ids: [first], note: 'by the lake' });
      const { undo } = await client.images.update({ ids, addNote: '  in the rain\n' });
      expect(undo).toMatchObject({ kind: 'note', count: 2 });
      expect(await notes()).toEqual(['by the lake\nin the rain', 'in the rain']);
      const long = client.images.update({ ids, addNote: 'x'.repeat(9_980) });
      await fails(long, 'invalid-request', 'addNote');
      await expect(long).rejects.toMatchObject({
        data: { reason: { code: 'notes-too-long', values: { count: 1, most: 10_000 } } },
      });
      expect(await notes()).toEqual(['by the lake\nin the rain', 'in the rain']);
      await client.studio.undo();
      expect(await notes()).toEqual(['by the lake', '']);
    });

    test('a picture goes out as a file and comes in again as itself', async () => {
      const { client, picture } = await connect();
      const { images } = await ended(client, (await client.jobs.create(sample({ count: 2 }))).id);
      const [id = 0] = images;
      const one = await client.images.export({ ids: [id], metadata: true });
      expect(one).toMatchObject({ name: 'tiny-7.png', exported: 1, leftOut: [] });
      const fetched = await picture(one.address);
      expect([fetched.status, fetched.type]).toEqual([200, 'image/png']);
      const png = new File([Uint8Array.from(fetched.bytes)], one.name);
      expect(await client.images.import({ files: [png] })).toMatchObject({
        ids: [id],
        refused: [],
        undo: { undo: null },
      });
      const before = await client.images.get({ id });

      await client.images.remove({ ids: [id] });
      await client.images.emptyBin();
      const back = await client.images.import({ files: [png] });
      const after = await client.images.get({ id: back.ids[0] ?? 0 });
      expect(after.recipe).toEqual(before.recipe);
      expect(after.createdAt).toBe(before.createdAt);

      const both = await client.images.export({ ids: [...images], metadata: false });
      expect(both).toMatchObject({
        name: 'rcg-studio-1.zip',
        exported: 1,
        leftOut: [{ id, reason: { code: 'export-gone', values: {} } }],
      });
      const zip = await picture(both.address);
      expect([zip.type, zip.bytes.length]).toEqual(['application/zip', both.bytes]);
      expect(new TextDecoder().decode(zip.bytes.subarray(0, 2))).toBe('PK');
      expect((await picture(both.address)).status).toBe(404);
    });

    test('files are inspected before anything is kept, and an import is one step of undo', async () => {
      const { client, picture } = await connect();
      const { images } = await ended(client, (await client.jobs.create(sample({ count: 3 }))).id);
      const [here = 0, binned = 0, gone = 0] = images;
      const pngs = await Promise.all(
        images.map(async (id) => {
          const { bytes } = await picture(`/images/${id}/full`);
          return new File([Uint8Array.from(bytes)], `${id}.png`);
        }),
      );
      const { recipe } = await client.images.get({ id: here });
      await client.images.remove({ ids: [gone] });
      await client.images.emptyBin();
      await client.images.remove({ ids: [binned] });
      const photo = await sharp({
        create: { width: 20, height: 30, channels: 3, background: '#a73' },
      })
        .png()
        .toBuffer();
      const files = [
        ...pngs,
        new File([JSON.stringify(recipe)], 'recipe.json'),
        new File([new Uint8Array(photo)], '../photo.png'),
        new File(['not a picture'], 'notes.txt'),
        new File([JSON.stringify({ ...recipe, seed: -1 })], 'wrong.json'),
        new File([photo.subarray(0, photo.length - 30).slice()], 'cut.png'),
      ];
      const { total, bin } = await client.images.summary();
      const found = await client.images.inspect({ files });
      expect(found.map(({ name, kind, id }) => [name, kind, id])).toEqual([
        [`${here}.png`, 'here', here],
        [`${binned}.png`, 'binned', binned],
        [`${gone}.png`, 'ours', null],
        ['recipe.json', 'recipe', null],
        ['photo.png', 'foreign', null],
        ['notes.txt', 'refused', null],
        ['wrong.json', 'refused', null],
        ['cut.png', 'refused', null],
      ]);
      expect(found[2]?.recipe).toMatchObject({ seed: 9, model: { id: 'tiny' } });
      expect(found[2]?.recipe).not.toHaveProperty('tokens');
      expect(found.flatMap(({ refusal }) => refusal?.reason?.code ?? [])).toEqual([
        'picture-other',
        'recipe-unreadable',
        'picture-damaged',
      ]);
      expect(await client.images.summary()).toMatchObject({ total, bin });

      const first = await client.images.import({ files: files.slice(0, 3) });
      const into = first.undo.undo?.id ?? 0;
      const second = await client.images.import({ files: files.slice(3), into });
      expect(second.refused.map(({ name }) => name)).toEqual([
        'notes.txt',
        'wrong.json',
        'cut.png',
      ]);
      // What was here already is no part of the step.
      expect(second.undo.undo).toMatchObject({ kind: 'import', count: 4 });
      expect(await client.images.summary()).toMatchObject({ total: total + 4, bin: 0 });
      await client.studio.undo();
      expect(await client.images.summary()).toMatchObject({ total, bin: 4 });
      await client.studio.redo();
      expect(await client.images.summary()).toMatchObject({ total: total + 4, bin: 0 });
      // Something else was done since: what comes now is a step of its own.
      await client.images.update({ ids: [here], rating: 2 });
      const third = await client.images.import({ files: files.slice(4, 5), into });
      expect(third.undo.undo).toMatchObject({ kind: 'import', count: 1 });
    });

    test('a foreign picture is encoded; what is no picture is refused by name', async () => {
      const { client } = await connect();
      const photo = await sharp({
        create: { width: 90, height: 60, channels: 3, background: '#3a7' },
      })
        .jpeg()
        .toBuffer();
      const { ids, refused } = await client.images.import({
        files: [
          new File([new Uint8Array(photo)], 'photo.jpg'),
          new File(['not a picture'], 'notes.txt'),
        ],
      });
      expect(refused).toMatchObject([{ name: 'notes.txt' }]);
      const image = await client.images.get({ id: ids[0] ?? 0 });
      expect(image).toMatchObject({ operation: 'import', size: 32 });
      expect(image.recipe.source).toEqual({ kind: 'picture', name: 'photo.jpg' });
      expect(await client.images.replay({ id: image.id })).toMatchObject({ differing: 0 });
      // It was not made from its tokens, so there is no answer to keep.
      expect((await client.images.get({ id: image.id })).replay).toBeNull();
      expect(await client.images.similar({ id: image.id, limit: 5 })).toEqual([]);
    });

    test('jobs wait, move, pause, stop and start again', async () => {
      const { client } = await connect();
      expect(await client.jobs.pause({ paused: true })).toEqual({ paused: true });
      const first = await client.jobs.create(sample({ seed: 1 }));
      const second = await client.jobs.create(sample({ seed: 2 }));
      const third = await client.jobs.create(sample({ seed: 3 }));
      const order = (jobs: readonly Job[]) => jobs.map((job) => job.id);
      expect(order(await client.jobs.move({ id: third.id, before: first.id }))).toEqual([
        third.id,
        first.id,
        second.id,
      ]);
      expect((await client.studio.status()).paused).toBe(true);
      expect(await client.jobs.cancel({ id: first.id })).toMatchObject({ state: 'cancelled' });
      expect(await client.jobs.retry({ id: first.id })).toMatchObject({ state: 'queued' });
      expect(await client.jobs.cancel({ id: second.id })).toMatchObject({ state: 'cancelled' });
      expect(order(await client.jobs.dismiss({ id: second.id }))).toEqual([third.id, first.id]);
      await client.jobs.pause({ paused: false });
      await ended(client, first.id);
      const { ids } = await client.images.search(newest);
      const seeds = (await client.images.rows({ ids: [...ids] })).map((row) => row.seed);
      expect(seeds).toEqual([1, 3]);
    });

    test('settings last and tell every window; models and status say what there is', async () => {
      const { client } = await connect();
      const told = await listen(client);
      expect(await client.studio.configure({ binDays: 12, theme: 'light' })).toMatchObject({
        binDays: 12,
        theme: 'light',
        language: 'system',
      });
      await told.first('settings');
      await told.stop();
      expect(await client.studio.status()).toMatchObject({
        state: { kind: 'open' },
        paused: false,
      });
      const [model] = await client.models.list();
      expect(model).toMatchObject({ id: 'tiny', state: 'ready', imageSize: 32, shipped: false });
      expect(model?.parts.every((part) => part.present)).toBe(true);
      expect(await client.models.verify({ id: 'tiny' })).toEqual({ problems: [] });
      const report = await client.studio.doctor();
      expect(report.filter((check) => check.state === 'fail')).toEqual([]);
      expect(report.map((check) => check.code)).toContain('repeats');
      expect((await client.studio.backup()).file).toMatch(/library-.*\.db$/);
    });

    test('what cannot be done is refused by code and field', async () => {
      const { client } = await connect();
      for (const [what, call, code, field] of REFUSED_CALLS) {
        await fails(call(client), code, field).catch((error: unknown) => {
          throw new Error(what, { cause: error });
        });
      }
    });
  });
}

const newest = { filter: {}, sort: { by: 'createdAt', descending: true } } as const;
const good = {
  filter: { ranges: [{ field: 'rating', min: 3 }] },
  sort: { by: 'rating', descending: true },
} as const satisfies Parameters<StudioClient['images']['search']>[0];

type Settings = Parameters<StudioClient['jobs']['create']>[0]['settings'];

export function sample(settings: Settings): Parameters<StudioClient['jobs']['create']>[0] {
  return { source: { kind: 'sample' }, settings };
}

/** The job, once it has ended one way or the other. */
export async function ended(client: StudioClient, id: number): Promise<Job> {
  for (;;) {
    const job = (await client.jobs.list()).find((one) => one.id === id);
    if (job === undefined) throw new Error(`job ${id} is not on the list`);
    if (['done', 'failed', 'parked', 'cancelled'].includes(job.state)) return job;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Expects a call to fail with one of the contract's errors, as a client sees it. */
export async function fails(
  call: Promise<unknown>,
  code: ErrorCode,
  field?: string,
): Promise<void> {
  const error: unknown = await call.then(
    () => 'it was accepted',
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code, ...(field === undefined ? {} : { data: { field } }) });
  expect((error as Error).message.length).toBeGreaterThan(10);
}
