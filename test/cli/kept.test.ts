import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '#history/database';
import { main } from '../../main/cli/main.ts';
import { temporaryFolder, tinyManifest, writeBundle } from '../studio/helpers.ts';
import { addPictures, openTestLibrary } from '../studio/portable-library.ts';
import { fakeIo, jsonLines, run } from './fake-io.ts';

let home = '';
beforeEach(async () => {
  home = await temporaryFolder();
  await writeBundle(join(home, 'models'), tinyManifest());
});

/** What a command prints, as objects; it must succeed. */
async function objects(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await run([...args, '--json'], { home });
  expect([code, err]).toEqual([0, '']);
  return out === '' ? [] : jsonLines(out);
}

const ids = async (...args: string[]) =>
  (await objects('library', 'list', ...args)).map(({ id }) => id);

/** A library with five pictures of the seeds that the helpers give them. */
async function filled(): Promise<void> {
  const library = await openTestLibrary(home);
  await addPictures(library, [1, 2, 3, 4, 5]);
  await library.studio.close();
}

describe('pictures of the library', () => {
  test('are rated, starred, tagged, found, deleted and restored', async () => {
    await filled();
    expect(await ids('--ascending')).toEqual([1, 2, 3, 4, 5]);
    await objects('library', 'rate', '1', '2', '--rating', '4');
    await objects('library', 'rate', '2', '--rating', '2');
    await objects('library', 'star', '3');
    await objects('library', 'tag', '1', '5', '--add', 'red sky', '--add', '夕焼け');
    await objects('library', 'tag', '5', '--remove', '夕焼け');
    expect(await ids('--rating', '3')).toEqual([1]);
    expect(await ids('--tag', '夕焼け', '--tag', 'red sky')).toEqual([1]);
    expect(await ids('--starred')).toEqual([3]);
    expect((await ids('red')).toSorted()).toEqual([1, 5]);
    const [row] = await objects('library', 'search', '夕焼け');
    expect(row).toMatchObject({ id: 1, rating: 4, starred: false, file: 'present' });
    expect(await ids('--seed', String(row?.['seed']))).toEqual([1]);
    await objects('library', 'star', '3', '--off');
    expect(await ids('--starred')).toEqual([]);
    await objects('library', 'delete', '4', '5');
    expect((await ids()).toSorted()).toEqual([1, 2, 3]);
    expect((await ids('--bin')).toSorted()).toEqual([4, 5]);
    await objects('library', 'restore', '4');
    expect(await ids('--bin')).toEqual([5]);
    expect(await ids('--limit', '2')).toHaveLength(2);
  });

  test('are written as files, with their recipes or without, and taken in again', async () => {
    await filled();
    const out = join(home, 'out');
    const written = await objects('library', 'export-pictures', '1', '2', '--out', out);
    expect(written.map(({ file }) => existsSync(String(file)))).toEqual([true, true]);
    const bare = join(home, 'bare');
    await objects('library', 'export-pictures', '1', '--out', bare, '--no-metadata');
    const [name = ''] = await readdir(bare);
    expect((await readFile(join(bare, name))).includes('rcg-studio')).toBe(false);
    const other = await temporaryFolder();
    const { code, out: text } = await run(
      ['library', 'add', ...written.map(({ file }) => String(file)), '--json'],
      { home: other },
    );
    expect([code, jsonLines(text).map(({ id }) => id)]).toEqual([0, [1, 2]]);
  });

  test('that cannot be taken in are named, and the others come in', async () => {
    await filled();
    const wrong = join(home, 'wrong.png');
    await writeFile(wrong, Buffer.from([137, 80, 78, 71, 13, 10, 26, 10, 0, 0]));
    const [good] = await objects('library', 'export-pictures', '1', '--out', join(home, 'out'));
    const { code, out, err } = await run(
      ['library', 'add', wrong, String(good?.['file']), '--json'],
      { home },
    );
    expect(code).toBe(1);
    expect(jsonLines(out)).toHaveLength(1);
    expect(jsonLines(err)).toMatchObject([{ error: { code: 'picture-unreadable' } }]);
  });

  test('go to another computer', async () => {
    await filled();
    await objects('library', 'rate', '1', '--rating', '5');
    const copy = join(home, 'copy');
    expect(await objects('library', 'export', copy)).toMatchObject([{ pictures: 5 }]);
    const there = { home: await temporaryFolder() };
    const { code, out } = await run(['library', 'import', copy], there);
    expect([code, out]).toEqual([0, expect.stringMatching(/^5 pictures came in; 0 were here/)]);
    const found = await run(['library', 'list', '--rating', '5', '--json'], there);
    expect(jsonLines(found.out)).toHaveLength(1);
    const again = await run(['library', 'import', copy, '--json'], there);
    expect(jsonLines(again.out)).toMatchObject([{ added: 0, known: 5 }]);
  });
});

describe('generate --library', () => {
  const generate = (...more: string[]) => ['generate', '--library', '--model', 'tiny', ...more];

  test('keeps pictures with their rows, and prints them as generate does', async () => {
    const made = await objects(...generate('--seed', '7', '--count', '2'));
    expect(made).toMatchObject([
      { id: 1, seed: 7, written: 'new', recipe: { seed: 7 } },
      { id: 2, seed: 8, written: 'new', recipe: { seed: 8 } },
    ]);
    expect(made.every(({ file }) => existsSync(String(file)))).toBe(true);
    expect(await ids('--seed', '8')).toEqual([2]);
  });

  test.each([
    [['--steps', '0'], 2, /steps/],
    [['--out', 'x'], 2, /cannot be used with/],
    [['--representation', 'x.npy'], 2, /cannot be used with/],
    [['--from-image', '/nowhere.png'], 1, /does not exist/],
    [['--model', 'none'], 2, /none/],
  ] as const)('%j is refused', async (flags, code, words) => {
    const done = await run(generate(...flags), { home });
    expect([done.code, done.err]).toEqual([code, expect.stringMatching(words)]);
    expect(await ids()).toEqual([]);
  });
});

describe('a command of the library is refused', () => {
  test.each([
    [['rate', '1'], 2],
    [['rate', '1', '--rating', '6'], 2],
    [['rate', 'x', '--rating', '1'], 2],
    [['rate', '99', '--rating', '1'], 2],
    [['tag', '1'], 2],
    [['tag', '1', '--add', ' '], 2],
    [['list', '--sort', 'beauty'], 2],
    [['list', '--board', 'None'], 2],
    [['list', '--limit', '0'], 2],
    [['delete'], 2],
    [['add', '/nowhere.png'], 1],
    [['export-pictures', '1'], 2],
    [['import', '/nowhere'], 2],
    [['export', '/nowhere/at/all'], 2],
  ] as const)('%j', async (args, code) => {
    await filled();
    const done = await run(['library', ...args], { home });
    expect(done.code).toBe(code);
    expect(done.err.length).toBeGreaterThan(10);
    expect(await ids('--rating', '1')).toEqual([]);
  });

  test('while a studio has the library, and says what to do', async () => {
    const file = join(home, 'library', 'library.db');
    const opened = openDatabase(file, { now: () => 0, appVersion: 'x' });
    for (const args of [
      ['library', 'list'],
      ['generate', '--library', '--model', 'tiny'],
    ]) {
      const { code, err } = await run(args, { home });
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/in use by process .*close the other/),
      ]);
    }
    if ('close' in opened) opened.close();
  });

  test('Ctrl-C ends it, and what was queued is cancelled', async () => {
    const fake = fakeIo({ home, answers: { generate: () => new Promise(() => undefined) } });
    const going = main(['generate', '--library', '--model', 'tiny', '--count', '3'], fake.io);
    await expect.poll(() => fake.asked.includes('generate'), { timeout: 20_000 }).toBe(true);
    fake.interrupt();
    expect(await going).toBe(130);
  });
});
