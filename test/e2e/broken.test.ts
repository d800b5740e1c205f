import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { canMount, fill, freeze, smallDisk } from '../helpers/disk.ts';
import { eventually, story } from './app.ts';
import { startHost } from './host.ts';
import { make } from './steps.ts';
import { BROWSER, launch, openWindow } from './window.ts';

// Libraries that are really broken, each opened by a studio of its own, and what a person then does.

const PICTURES = 3;
/** A library with pictures and a backup, closed; scenes break copies of it. */
let whole: string;
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(BROWSER)) return;
  whole = await mkdtemp(join(tmpdir(), 'rcg-studio-whole-'));
  const host = await startHost();
  const settings = { count: PICTURES, seed: 60 };
  await make(host.client, { source: { kind: 'sample' }, settings });
  await host.client.studio.backup();
  await host.stop(async (home) => cp(join(home, 'library'), whole, { recursive: true }));
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  if (whole !== undefined) await rm(whole, { recursive: true, force: true });
});

/** Every file of a library that holds something of a person, by its hash. */
async function hashes(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile() && /\.(db|png|jsonl)$/.test(one.name));
  const pairs = files.map(async ({ parentPath, name }) => {
    const bytes = await readFile(join(parentPath, name));
    return [join(parentPath, name), createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** A window on a copy of the library that something was done to. @param place where the copy is */
async function open(breakIt: (library: string) => Promise<unknown>, place?: string) {
  let library = '';
  const host = await startHost({
    async files(home) {
      library = place ?? join(home, 'library');
      await cp(whole, library, { recursive: true });
      if (place !== undefined) {
        const known = { version: 1, folder: place, left: null, unfinished: null };
        await writeFile(join(home, 'library.json'), JSON.stringify(known));
      }
      await breakIt(library);
    },
  });
  onTestFinished(() => host.stop());
  const before = existsSync(library) ? await hashes(library) : {};
  const look = { at: '/gallery', goesOn: true, expects: /503|404|library-unavailable/ };
  const { page, problems, shot, close } = await openWindow(browser, host, look);
  onTestFinished(async () => {
    await close();
    expect(problems).toEqual([]);
  });
  const unchanged = async () => expect(await hashes(library)).toEqual(before);
  return { page, library, shot, unchanged, client: host.client };
}

/** The page that says what is the matter. Nothing says it a second time. */
async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { name }).waitFor();
  expect(await page.locator('[data-live="assertive"]').textContent()).toBe('');
}
/** Presses a button, once it is ready for that: what it began before may still run. */
async function press(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name });
  await eventually(() => button.getAttribute('aria-disabled')).toBeNull();
  await button.press('Enter');
}
const cells = (page: Page) => page.getByRole('gridcell').filter({ has: page.locator('img') });
const allShown = (page: Page) => eventually(() => cells(page).count()).toBe(PICTURES);

/** What a library that can only be looked at lets a person do. */
async function looksOnly(page: Page): Promise<void> {
  await allShown(page);
  await page.getByText('read-only', { exact: false }).first().waitFor();
  await cells(page).first().click();
  await page.keyboard.press('4');
  await page.keyboard.press('Delete');
  await allShown(page);
}

describe('a library that is really broken', () => {
  story('made by a newer version, is named and can be looked at, unchanged', async () => {
    const { page, shot, unchanged } = await open(async (library) => {
      const database = new Sqlite(join(library, 'library.db'));
      database.exec('ALTER TABLE images ADD COLUMN later TEXT');
      database.pragma('user_version = 9000');
      database.pragma('journal_mode = DELETE');
      database.close();
    });
    await heading(page, 'Made by version 0.1.0');
    await shot('broken-newer');
    await press(page, 'Open read-only');
    await looksOnly(page);
    await unchanged();
  });

  story('with a torn record, is named; the backup is opened beside it', async () => {
    let torn = Buffer.alloc(0);
    const { page, library, shot, unchanged } = await open(async (folder) => {
      const file = join(folder, 'library.db');
      torn = await readFile(file);
      torn.fill(0x5a, 8192 * 2, 8192 * 6);
      await writeFile(file, torn);
    });
    await heading(page, 'The library’s record is damaged');
    await shot('broken-damaged');
    await unchanged();
    await press(page, 'Open backup beside it');
    await allShown(page);
    const kept = (await readdir(library)).filter((name) => /damaged/.test(name));
    expect(kept.length).toBeGreaterThan(0);
    const copies = await Promise.all(kept.map((name) => readFile(join(library, name))));
    expect(copies.some((copy) => copy.equals(torn))).toBe(true);
  });

  story('without its record, is named; the record is made again from the pictures', async () => {
    const { page, shot, unchanged } = await open((library) => rm(join(library, 'library.db')));
    await heading(page, 'The library’s record is gone');
    await shot('broken-lost');
    await unchanged();
    await press(page, 'Make the record again');
    await allShown(page);
  });

  story('on a drive that is away, is named, and opens when it is back', async () => {
    const drive = await mkdtemp(join(tmpdir(), 'rcg-studio-drive-'));
    onTestFinished(() => rm(drive, { recursive: true, force: true }));
    const [there, away] = [join(drive, 'library'), join(drive, 'away')];
    const { page, shot } = await open((library) => rename(library, away), there);
    await heading(page, 'The library cannot be reached');
    await shot('broken-missing');
    await press(page, 'Try again');
    await page.locator('main').getByText('Tried again at').waitFor();
    await shot('broken-tried');
    await heading(page, 'The library cannot be reached');
    expect(existsSync(there)).toBe(false);
    await rename(away, there);
    await press(page, 'Try again');
    await allShown(page);
  });

  story('with half of its pictures gone, shows which, and makes them again', async () => {
    const { page, shot } = await open(async (library) => {
      const files = await readdir(join(library, 'images'), { recursive: true });
      const [first = ''] = files.filter((name) => name.endsWith('.png'));
      await rm(join(library, 'images', first));
    });
    const lost = page.getByRole('gridcell', { name: /missing/i });
    await lost.waitFor();
    await shot('broken-half-deleted');
    await lost.click();
    await page.getByRole('button', { name: 'Rebuild' }).first().click();
    await allShown(page);
  });
});

describe.runIf(canMount())('a disk that is really', () => {
  story('write-protected, is named, and its library can be looked at', async () => {
    const disk = await smallDisk();
    const { page, shot, unchanged } = await open(
      (library) => Promise.resolve(freeze(join(library, '..'))),
      join(disk, 'library'),
    );
    await heading(page, 'The library is read-only');
    await shot('broken-read-only');
    await press(page, 'Look at the pictures');
    await looksOnly(page);
    await unchanged();
  });

  story('full at the start, is named; once there is room the library opens', async () => {
    const disk = await smallDisk();
    let makeRoom = () => undefined as unknown;
    const { page, shot, unchanged } = await open(
      () => Promise.resolve((makeRoom = fill(disk))),
      join(disk, 'library'),
    );
    await heading(page, 'The disk is full');
    await shot('broken-full');
    await press(page, 'Look at the pictures');
    await looksOnly(page);
    await unchanged();
    makeRoom();
    await page.reload();
    await press(page, 'Try again');
    await allShown(page);
  });
});
