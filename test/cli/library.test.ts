import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '#history/database';
import { main } from '../../main/cli/main.ts';
import { temporaryFolder, tinyManifest, writeBundle } from '../studio/helpers.ts';
import { fakeIo, jsonLines, run } from './fake-io.ts';

let home = '';
beforeEach(async () => {
  home = await temporaryFolder();
  await writeBundle(join(home, 'models'), tinyManifest());
});

/** The only object that a command prints. */
async function result(...args: string[]): Promise<Record<string, unknown> | undefined> {
  const { code, out } = await run([...args, '--json'], { home });
  expect(code).toBe(0);
  return jsonLines(out)[0];
}

/** Puts pictures of ours into a library, without rows. */
async function addPictures(library: string, count: number): Promise<readonly string[]> {
  const made = join(home, 'made');
  const flags = ['--model', 'tiny', '--seed', '7', '--count', String(count), '--out', made];
  expect((await run(['generate', ...flags], { home })).code).toBe(0);
  const month = join(library, 'images', '2026-11');
  await mkdir(month, { recursive: true });
  const names = await readdir(made);
  for (const name of names) await copyFile(join(made, name), join(month, name));
  return names.map((name) => join(month, name));
}

const usual = () => join(home, 'library');

describe('library', () => {
  test('says where it is, and moves it', async () => {
    const to = join(home, 'elsewhere');
    expect(await result('library', 'where')).toMatchObject({ folder: usual(), left: null });
    await addPictures(usual(), 3);
    expect(await result('library', 'reindex')).toMatchObject({ adopted: 3, missing: 0 });
    expect(await result('library', 'move', to)).toEqual({ folder: to, left: null });
    expect(existsSync(usual())).toBe(false);
    expect((await run(['library', 'where'], { home })).out).toBe(`${to}\n`);
    expect(await result('library', 'reindex')).toMatchObject({ adopted: 0, missing: 0, found: 0 });
  });

  test('reindex finds pictures without a row, and rows without a picture', async () => {
    await addPictures(usual(), 2);
    await result('library', 'reindex');
    const month = join(usual(), 'images/2026-11');
    const [first = '', second = ''] = (await readdir(month)).map((name) => join(month, name));
    const strange = join(usual(), 'images/2026-11/strange.png');
    await writeFile(strange, 'not a picture');
    await copyFile(first, join(home, 'kept.png'));
    await rm(first);
    expect(existsSync(second)).toBe(true);
    const found = await result('library', 'reindex');
    expect(found).toMatchObject({ adopted: 0, missing: 1, found: 0 });
    expect(found?.['quarantined']).toHaveLength(1);
    expect(existsSync(strange)).toBe(false);
    await copyFile(join(home, 'kept.png'), first);
    const { code, out } = await run(['library', 'reindex'], { home });
    expect([code, out]).toEqual([0, expect.stringMatching(/^1 pictures are there again$/m)]);
  });

  test('keeps ratings and tags', async () => {
    await addPictures(usual(), 1);
    await result('library', 'reindex');
    const file = join(usual(), 'library.db');
    const options = { now: () => 0, appVersion: 'test' };
    const opened = openDatabase(file, options);
    opened.database?.exec('UPDATE images SET rating = 4');
    if ('close' in opened) opened.close();
    await result('library', 'reindex');
    const again = openDatabase(file, options);
    expect(again.database?.prepare('SELECT rating FROM images').pluck().all()).toEqual([4]);
    if ('close' in again) again.close();
  });
});

describe('library, refused', () => {
  test.each([['library'], ['library', 'move'], ['library', 'burn']])('%s %s', async (...args) => {
    expect((await run(args, { home })).code).toBe(2);
  });

  test('a folder that is not empty', async () => {
    const { code, err } = await run(['library', 'move', join(home, 'models')], { home });
    expect([code, err]).toEqual([2, expect.stringMatching(/not moved: .*other things/)]);
  });

  test('while a studio has it open', async () => {
    const opened = openDatabase(join(usual(), 'library.db'), { now: () => 0, appVersion: 'x' });
    for (const args of [['move', join(home, 'to')], ['reindex']]) {
      const { code, err } = await run(['library', ...args], { home });
      expect([code, err]).toEqual([1, expect.stringMatching(/in use by process/)]);
    }
    expect(existsSync(join(home, 'to'))).toBe(false);
    if ('close' in opened) opened.close();
  });

  test('a library whose drive is away is not made anew', async () => {
    const to = join(home, 'drive');
    await result('library', 'move', to);
    await rm(to, { recursive: true });
    for (const args of [['move', join(home, 'to')], ['reindex']]) {
      const { code, err } = await run(['library', ...args], { home });
      expect([code, err]).toEqual([1, expect.stringMatching(/cannot be reached/)]);
    }
    expect(existsSync(to)).toBe(false);
  });

  test('Ctrl-C in the middle leaves it where it was', async () => {
    await addPictures(usual(), 2);
    await result('library', 'reindex');
    const fake = fakeIo({ home, terminal: true });
    const { write } = fake.io.stderr;
    let interrupted = false;
    const stderr = {
      ...fake.io.stderr,
      write: (text: string) => {
        write(text);
        if (interrupted) return;
        interrupted = true;
        fake.interrupt();
      },
    };
    const code = await main(['library', 'move', join(home, 'to')], { ...fake.io, stderr });
    expect(code).toBe(130);
    expect(existsSync(join(home, 'to'))).toBe(false);
    expect(await result('library', 'where')).toMatchObject({ folder: usual(), unfinished: null });
  });
});
