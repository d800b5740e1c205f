import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '#api/settings';
import { openDatabase } from '#history/database';
import { insertTexts, stripTexts } from '#pictures/png';
import { recipeTexts } from '#pictures/recipe';
import {
  addPictures,
  described,
  fillLibrary,
  openTestLibrary,
  startTestLibrary,
  type TestLibrary,
} from './portable-library.ts';

/** A filled library that is closed; what it knew, and where its document is. */
async function closed(): Promise<{ ours: TestLibrary; before: unknown; document: string }> {
  const ours = await openTestLibrary();
  await fillLibrary(ours);
  const before = described(ours);
  await ours.studio.close();
  return { ours, before, document: join(ours.folder, 'library.jsonl') };
}

/** Deletes the record and all its copies. */
async function loseRecord(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('library.db') || name === 'backups') {
      await rm(join(folder, name), { recursive: true });
    }
  }
}

const stampOf = async (document: string): Promise<unknown> =>
  (JSON.parse((await readFile(document, 'utf8')).split('\n')[0] ?? '') as { stamp: unknown }).stamp;

describe('when the record and its backups are lost', () => {
  test('the same rows come back, with ratings, boards, searches, bin and dropped pictures', async () => {
    const { ours, before } = await closed();
    await loseRecord(ours.folder);
    const again = await openTestLibrary(ours.root);
    expect(described(again)).toEqual(before);
    // And again, from what the new record left.
    await again.studio.close();
    await loseRecord(ours.folder);
    expect(described(await openTestLibrary(ours.root))).toEqual(before);
  });

  test('presets, shortcuts and settings come back, beside what was set meanwhile', async () => {
    const ours = await openTestLibrary();
    const calm = { name: 'Calm', settings: { temperature: 2 } };
    const wild = { name: 'Wild', settings: { temperature: 14 } };
    await ours.client.studio.configure({
      ...{ theme: 'light', language: 'ja', presets: [calm, wild] },
      shortcuts: { generate: 'Ctrl+G', pause: 'Ctrl+Y' },
    });
    await ours.studio.close();
    await loseRecord(ours.folder);
    // The window is there before the document was read.
    const again = await startTestLibrary(ours.root);
    const other = { ...calm, settings: { temperature: 3 } };
    await again.client.studio.configure({
      ...{ language: 'en', presets: [other], shortcuts: { pause: 'Ctrl+U' } },
    });
    await again.studio.ready;
    expect(await again.client.studio.settings()).toMatchObject({
      ...{ theme: 'light', language: 'en', presets: [other, wild], textSize: 100 },
      shortcuts: { generate: 'Ctrl+G', pause: 'Ctrl+U' },
    });
  });

  test('settings that mean nothing here are left out, and the rest is taken', async () => {
    const { ours, before, document } = await closed();
    await loseRecord(ours.folder);
    const values = {
      ...{ theme: 'puce', textSize: 1e9, binDays: 90, later: true },
      presets: [{ name: '', settings: {} }],
      shortcuts: { __proto__: 7 },
    };
    const [head = '', ...rest] = (await readFile(document, 'utf8'))
      .trimEnd()
      .split('\n')
      .slice(0, -1);
    const body = [head, JSON.stringify({ kind: 'settings', values }), ...rest, ''].join('\n');
    const sha256 = createHash('sha256').update(body).digest('hex');
    await writeFile(document, `${body}${JSON.stringify({ kind: 'end', sha256 })}\n`);
    const again = await openTestLibrary(ours.root);
    expect(await again.client.studio.settings()).toEqual({ ...DEFAULT_SETTINGS, binDays: 90 });
    expect(described(again)).toEqual(before);
  });

  test('a start that was killed in the middle of that does the rest', async () => {
    const { ours, before, document } = await closed();
    const old = await readFile(document);
    await loseRecord(ours.folder);
    const first = await openTestLibrary(ours.root);
    await first.studio.close();
    // As it was before anything was noted.
    const opened = openDatabase(join(ours.folder, 'library.db'), { now: () => 0, appVersion: 'x' });
    opened.database?.exec(`UPDATE images SET rating = 0, starred = 0; DELETE FROM image_tags;
      DELETE FROM board_images; DELETE FROM searches; DELETE FROM settings WHERE key = 'sidecar'`);
    if ('close' in opened) opened.close();
    await writeFile(document, old);
    expect(described(await openTestLibrary(ours.root))).toEqual(before);
  });

  test('a picture that carries no name of its own keeps its marks', async () => {
    const ours = await openTestLibrary();
    const [id = 0] = await addPictures(ours, [1]);
    const { path } = ours.studio.shop.history().images.get(id);
    const { recipe } = ours.studio.shop.history().images.get(id);
    const file = join(ours.folder, path);
    const bare = insertTexts(stripTexts(await readFile(file), path), recipeTexts(recipe));
    await writeFile(file, bare);
    await ours.client.images.update({ ids: [id], rating: 3 });
    const { uid } = ours.studio.shop.history().images.get(id);
    await ours.studio.close();
    await loseRecord(ours.folder);
    const again = await openTestLibrary(ours.root);
    expect(again.studio.shop.history().images.get(1)).toMatchObject({ uid, rating: 3, path });
  });

  test('a backup that is older than the document is brought up to it', async () => {
    const ours = await openTestLibrary();
    const ids = await fillLibrary(ours);
    await ours.client.images.update({ ids: [ids[2] ?? 0], rating: 1 });
    const { file } = await ours.client.studio.backup();
    await ours.client.images.update({ ids: [ids[2] ?? 0], rating: 5, addTags: ['late'] });
    const before = described(ours);
    await ours.studio.close();
    await rename(file, join(ours.folder, 'library.db'));
    expect(described(await openTestLibrary(ours.root))).toEqual(before);
  });
});

describe('the document', () => {
  test('is written at close when something changed, and not otherwise', async () => {
    const { ours, document } = await closed();
    const stamp = await stampOf(document);
    const looking = await openTestLibrary(ours.root);
    await looking.client.images.summary();
    const verdict = { differing: 0, target: 'cpu-int8', checkedAt: 5 } as const;
    looking.studio.shop.history().images.setReplay(3, verdict);
    await looking.studio.close();
    expect(await stampOf(document)).toBe(stamp);
    const marking = await openTestLibrary(ours.root);
    await marking.client.images.update({ ids: [3], note: 'Late' });
    await marking.studio.close();
    const marked = await stampOf(document);
    expect(marked).not.toBe(stamp);
    expect(await readFile(document, 'utf8')).toContain('Late');
    const setting = await openTestLibrary(ours.root);
    await setting.client.studio.configure({ theme: 'light' });
    await setting.studio.close();
    expect(await stampOf(document)).not.toBe(marked);
    expect(await readFile(document, 'utf8')).not.toContain('checked');
    expect((await readdir(ours.folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('brings nothing back that was deleted or taken away since', async () => {
    const { ours, document } = await closed();
    const old = await readFile(document);
    const again = await openTestLibrary(ours.root);
    await again.client.images.update({ ids: [1], rating: 0, starred: false, removeTags: ['red'] });
    await again.client.images.emptyBin();
    const before = described(again);
    expect((await again.client.library.reindex()).restored).toBe(0);
    expect(described(again)).toEqual(before);
    expect(await readFile(document)).toEqual(old);
    // Killed now, the record is ahead of the document.
    await again.studio.close();
    expect(described(await openTestLibrary(ours.root))).toEqual(before);
  });

  test('holds nothing of pictures that say all of themselves', async () => {
    const ours = await openTestLibrary();
    await addPictures(ours, [1, 2, 3]);
    await ours.studio.close();
    expect(existsSync(join(ours.folder, 'library.jsonl'))).toBe(false);
  });

  test('of another record is not written over before it was taken in', async () => {
    const { ours, before, document } = await closed();
    const bytes = await readFile(document);
    await loseRecord(ours.folder);
    const brief = await startTestLibrary(ours.root);
    await brief.studio.close();
    expect((await readFile(document)).equals(bytes)).toBe(true);
    expect(described(await openTestLibrary(ours.root))).toEqual(before);
  });
});

const HARMS: readonly (readonly [string, (document: string) => Promise<unknown>])[] = [
  ['cut short', (document) => truncate(document, 700)],
  ['empty', (document) => truncate(document, 0)],
  ['no JSON', (document) => writeFile(document, 'hello\nthere\n')],
  [
    'of a newer version',
    (document) => edit(document, (text) => text.replace('"version":1', '"version":2')),
  ],
  ['changed by hand', (document) => edit(document, (text) => text.replace('quiet', 'loud'))],
  [
    'a picture outside',
    (document) => edit(document, (text) => text.replace(/images\/\d{4}/, 'images/../../../2026')),
  ],
  ['endless', (document) => writeFile(document, Buffer.alloc(6 * 2 ** 20, 'x'))],
  [
    'a link',
    async (document) => {
      await rename(document, `${document}.real`);
      await symlink(`${document}.real`, document);
    },
  ],
];

async function edit(document: string, change: (text: string) => string): Promise<void> {
  await writeFile(document, change(await readFile(document, 'utf8')));
}

describe('a document that is', () => {
  test.each(HARMS)('%s is put aside, and the pictures get their rows', async (_, harm) => {
    const { ours, document } = await closed();
    await loseRecord(ours.folder);
    await harm(document);
    const again = await openTestLibrary(ours.root);
    const { total } = await again.client.images.summary();
    // Six pictures have their file, of seven two were dropped, and nobody knows of the bin.
    expect(total).toBe(5);
    expect(existsSync(document)).toBe(false);
    const aside = await readdir(join(ours.folder, 'quarantine'));
    expect(aside.some((name) => name.endsWith('library.jsonl'))).toBe(true);
    // The next one takes its place.
    await again.client.images.update({ ids: [1], rating: 2 });
    await again.studio.close();
    expect(await readFile(document, 'utf8')).toContain('"rating":2');
  });

  test('damaged is told to who compares', async () => {
    const { ours, document } = await closed();
    const again = await openTestLibrary(ours.root);
    await truncate(document, 100);
    const found = await again.client.library.reindex();
    expect(found).toMatchObject({ restored: 0, note: { code: 'document-damaged' } });
    expect(found.quarantined).toHaveLength(1);
  });
});
