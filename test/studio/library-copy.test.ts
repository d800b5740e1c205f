import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StudioEvent } from '#api/studio';
import { exportLibrary } from '#studio/portable/export';
import { importLibrary } from '#studio/portable/import';
import { fails } from '../hosts/conformance.ts';
import { failure } from './helpers.ts';
import {
  addPictures,
  described,
  fillLibrary,
  openTestLibrary,
  type TestLibrary,
} from './portable-library.ts';

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const running = { signal: new AbortController().signal, onProgress: () => undefined };

/** A filled library and its export. */
async function exported(): Promise<{ ours: TestLibrary; copy: string }> {
  const ours = await openTestLibrary();
  await fillLibrary(ours);
  const copy = join(ours.root, 'copy');
  await ours.client.library.export({ folder: copy });
  return { ours, copy };
}

/** Lines of a copy's document. */
async function lines(copy: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(copy, 'library.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Writes a document with all its hashes in order, as somebody would who means harm. */
async function forge(
  copy: string,
  changed: readonly Record<string, unknown>[],
  counts: Record<string, unknown> = {},
): Promise<void> {
  const body = changed
    .filter(({ kind }) => kind !== 'end')
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
  const text = Buffer.from(
    `${body}${JSON.stringify({ kind: 'end', sha256: hash(Buffer.from(body)) })}\n`,
  );
  await writeFile(join(copy, 'library.jsonl'), text);
  const path = join(copy, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Record<string, object>;
  const document = { path: 'library.jsonl', size: text.length, sha256: hash(text) };
  const all = { ...manifest, document, counts: { ...manifest['counts'], ...counts } };
  await writeFile(path, JSON.stringify(all));
}

/** Changes the line of the first picture that has a file. */
async function forgePicture(
  copy: string,
  change: (line: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const all = await lines(copy);
  const at = all.findIndex(({ kind, file }) => kind === 'picture' && file !== undefined);
  await forge(
    copy,
    all.map((line, i) => (i === at ? change(line) : line)),
  );
}

async function firstFile(copy: string): Promise<string> {
  const line = (await lines(copy)).find(({ file }) => file !== undefined);
  return join(copy, String(line?.['path']));
}

describe('an exported library', () => {
  test('brings everything to another computer, byte for byte', async () => {
    const { ours, copy } = await exported();
    const theirs = await openTestLibrary();
    expect(await theirs.client.library.import({ folder: copy })).toEqual({
      added: 7,
      known: 0,
      found: 0,
      boards: 2,
      searches: 2,
      missingModels: [
        { id: 'rcg-b', title: 'Starter' },
        { id: 'starter', title: 'Starter' },
      ],
    });
    expect(described(theirs)).toEqual(described(ours));
    for (const { path, state } of theirs.studio.shop.history().images.files()) {
      if (state !== 'present') continue;
      const [here, there] = [join(theirs.folder, path), join(ours.folder, path)];
      expect(await readFile(here)).toEqual(await readFile(there));
    }
  });

  test('names every file by a relative path and its hash, and holds no more', async () => {
    const { copy } = await exported();
    expect((await readdir(copy)).sort()).toEqual(['images', 'library.jsonl', 'manifest.json']);
    const text = await readFile(join(copy, 'library.jsonl'));
    const manifest: unknown = JSON.parse(await readFile(join(copy, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      format: 'rcg-studio-library-copy',
      version: 1,
      counts: { pictures: 7, files: 5, boards: 2, searches: 2 },
      document: { path: 'library.jsonl', size: text.length, sha256: hash(text) },
    });
    expect(`${JSON.stringify(manifest)}${text.toString()}`).not.toContain(copy);
    for (const { kind, path, file } of await lines(copy)) {
      if (kind !== 'picture' || file === undefined) continue;
      expect(path).toMatch(/^images\/\d{4}-\d\d\/[a-z0-9]+\.png$/);
      const bytes = await readFile(join(copy, String(path)));
      expect(file).toEqual({ size: bytes.length, sha256: hash(bytes) });
    }
  });

  test('again changes nothing, and takes back nothing that was noted since', async () => {
    const { ours, copy } = await exported();
    const theirs = await openTestLibrary();
    await theirs.client.library.import({ folder: copy });
    const { ids } = await theirs.client.images.search({
      filter: { ranges: [{ field: 'rating', min: 4, max: 4 }] },
      sort: { by: 'seed', descending: false },
    });
    await theirs.client.images.update({
      ids: [...ids],
      rating: 2,
      note: 'Mine',
      addTags: ['mine'],
    });
    await theirs.client.images.remove({ ids: [ids[0] ?? 0] });
    const before = described(theirs);
    expect(await theirs.client.library.import({ folder: copy })).toMatchObject({
      added: 0,
      known: 7,
      boards: 0,
      searches: 0,
    });
    expect(described(theirs)).toEqual(before);
    // And at home.
    const home = described(ours);
    await ours.client.library.import({ folder: copy });
    expect(described(ours)).toEqual(home);
  });

  test('fills in what was not noted here, and joins boards of one name', async () => {
    const { copy } = await exported();
    const theirs = await openTestLibrary();
    const board = await theirs.client.images.createBoard({ name: 'ＰＲＩＮＴ' });
    const [mine = 0] = await addPictures(theirs, [50]);
    await theirs.client.images.update({ ids: [mine], addToBoard: board.id });
    expect(await theirs.client.library.import({ folder: copy })).toMatchObject({ boards: 1 });
    const { boards } = await theirs.client.images.summary();
    expect(boards).toMatchObject([
      { name: 'Empty', count: 0 },
      { name: 'ＰＲＩＮＴ', count: 4 },
    ]);
  });

  test('brings presets along, and no other setting', async () => {
    const ours = await openTestLibrary();
    const [calm, wild] = ['Calm', 'Wild'].map((name, at) => ({
      name,
      settings: { temperature: at },
    }));
    if (calm === undefined || wild === undefined) throw new Error('No presets.');
    await ours.client.studio.configure({ presets: [calm, wild], theme: 'light', binDays: 7 });
    const copy = join(ours.root, 'copy');
    await ours.client.library.export({ folder: copy });
    const theirs = await openTestLibrary();
    const own = { ...wild, settings: { temperature: 9 } };
    await theirs.client.studio.configure({ presets: [own] });
    await theirs.client.library.import({ folder: copy });
    const { presets, theme, binDays } = await theirs.client.studio.settings();
    expect({ presets, theme, binDays }).toEqual({
      ...{ presets: [own, calm], theme: 'system', binDays: 30 },
    });
  });

  test('another search of the same name stays beside ours', async () => {
    const { copy } = await exported();
    const theirs = await openTestLibrary();
    const search = { filter: { starred: true }, sort: { by: 'seed', descending: false } } as const;
    await theirs.client.images.saveSearch({ name: 'red PRINTS', search });
    for (const searches of [2, 0]) {
      expect(await theirs.client.library.import({ folder: copy })).toMatchObject({ searches });
    }
    const { searches } = await theirs.client.images.summary();
    expect(searches.map(({ name }) => name)).toEqual(['red PRINTS', 'Red prints 2', 'Children']);
  });

  test('gives a lost file back, and leaves dropped pixels dropped', async () => {
    const { ours, copy } = await exported();
    const history = ours.studio.shop.history();
    const [first, second] = [...history.images.files()].filter(({ state }) => state === 'present');
    await rm(join(ours.folder, first?.path ?? ''));
    history.images.setFile(first?.id ?? 0, { state: 'missing' });
    history.images.setFile(second?.id ?? 0, { state: 'dropped' });
    expect(await ours.client.library.import({ folder: copy })).toMatchObject({
      found: 1,
      known: 7,
    });
    expect(history.images.get(first?.id ?? 0).file).toBe('present');
    expect(existsSync(join(ours.folder, first?.path ?? ''))).toBe(true);
    expect(history.images.get(second?.id ?? 0).file).toBe('dropped');
  });

  test('a picture whose file is damaged or gone goes along as its recipe', async () => {
    const ours = await openTestLibrary();
    await addPictures(ours, [1, 2, 3]);
    const [gone, cut] = [...ours.studio.shop.history().images.files()];
    await rm(join(ours.folder, gone?.path ?? ''));
    await truncate(join(ours.folder, cut?.path ?? ''), 100);
    const copy = join(ours.root, 'copy');
    expect(await ours.client.library.export({ folder: copy })).toMatchObject({
      pictures: 3,
      withoutFile: 2,
    });
    const theirs = await openTestLibrary();
    await theirs.client.library.import({ folder: copy });
    const files = [...theirs.studio.shop.history().images.files()].map(({ state }) => state);
    expect(files).toEqual(['missing', 'missing', 'present']);
  });

  test('an empty library can be exported and imported', async () => {
    const ours = await openTestLibrary();
    const copy = join(ours.root, 'copy');
    expect(await ours.client.library.export({ folder: copy })).toMatchObject({ pictures: 0 });
    expect(await ours.client.library.import({ folder: copy })).toMatchObject({ added: 0 });
  });

  test('a library that is open for looking only can be exported, not imported into', async () => {
    const ours = await openTestLibrary();
    await fillLibrary(ours);
    await ours.studio.close();
    const { client } = await openTestLibrary(ours.root, { readOnly: true });
    const copy = join(ours.root, 'copy');
    expect(await client.library.export({ folder: copy })).toMatchObject({ pictures: 7 });
    await fails(client.library.import({ folder: copy }), 'library-unavailable');
  });
});

describe('an export', () => {
  test.each(['here', '', '/nowhere/at/all'])('to %j is refused', async (folder) => {
    const { client } = await openTestLibrary();
    await fails(client.library.export({ folder }), 'invalid-request', 'folder');
  });

  test('into the library, a file or a folder in use is refused', async () => {
    const ours = await openTestLibrary();
    await addPictures(ours, [1]);
    await writeFile(join(ours.root, 'file'), '');
    await mkdir(join(ours.root, 'full'));
    await writeFile(join(ours.root, 'full', 'thing'), 'kept');
    const inside = ['', 'copy', 'images/copy'].map((name) => join(ours.folder, name));
    for (const folder of [...inside, join(ours.root, 'file'), join(ours.root, 'full')]) {
      await fails(ours.client.library.export({ folder }), 'invalid-request', 'folder');
    }
    expect(await readFile(join(ours.root, 'full', 'thing'), 'utf8')).toBe('kept');
  });

  test('that does not fit, fails or is stopped leaves nothing', async () => {
    const ours = await openTestLibrary();
    await fillLibrary(ours);
    const { shop } = ours.studio;
    const copy = join(ours.root, 'copy');
    const full = await failure(() => exportLibrary(shop, copy, { ...running, freeBytes: 1000 }));
    expect(full).toMatchObject({ code: 'disk-full', reason: { code: 'transfer-no-space' } });
    const abort = new AbortController();
    const stopped = await failure(() =>
      exportLibrary(shop, copy, {
        signal: abort.signal,
        onProgress: (done) => done > 0 || abort.abort(),
      }),
    );
    expect(stopped.code).toBe('cancelled');
    expect(existsSync(copy)).toBe(false);
    // A folder that was there stays.
    await mkdir(copy);
    await failure(() => exportLibrary(shop, copy, { ...running, signal: abort.signal }));
    expect(await readdir(copy)).toEqual([]);
  });

  test('tells how far it is, and waits for nobody else', async () => {
    const ours = await openTestLibrary();
    await fillLibrary(ours);
    const events: StudioEvent[] = [];
    const stream = await ours.client.studio.events();
    const listening = (async () => {
      for await (const event of stream) events.push(event);
    })();
    const copy = join(ours.root, 'copy');
    const exporting = ours.client.library.export({ folder: copy });
    await fails(ours.client.library.import({ folder: copy }), 'invalid-request');
    await exporting;
    expect(await ours.client.library.cancelTransfer()).toEqual({ cancelled: false });
    await ours.studio.close();
    await listening;
    const last = events.findLast((event) => event.kind === 'transfer');
    expect(last).toEqual({ kind: 'transfer', way: 'export', done: 7, total: 7 });
  });
});

describe('an import that is cut short', () => {
  test('leaves whole pictures, and the same again brings the rest', async () => {
    const { ours, copy } = await exported();
    const theirs = await openTestLibrary();
    const { shop } = theirs.studio;
    // Half of the steps are the look at it.
    for (const after of [9, 11, 12]) {
      const abort = new AbortController();
      const stopped = await failure(() =>
        importLibrary(shop, copy, {
          signal: abort.signal,
          onProgress: (done) => done < after || abort.abort(),
        }),
      );
      expect(stopped.code).toBe('cancelled');
      const rows = [...shop.history().images.files()];
      const { paths } = await shop.files.scan();
      const present = rows.filter(({ state }) => state === 'present').map(({ path }) => path);
      expect(present.sort()).toEqual([...paths].sort());
    }
    await theirs.client.library.import({ folder: copy });
    expect(described(theirs)).toEqual(described(ours));
  });

  test('while it is looked at, nothing came in', async () => {
    const { copy } = await exported();
    const theirs = await openTestLibrary();
    const abort = new AbortController();
    const onProgress = (): void => abort.abort();
    const stopped = await failure(() =>
      importLibrary(theirs.studio.shop, copy, { signal: abort.signal, onProgress }),
    );
    expect(stopped.code).toBe('cancelled');
    expect((await theirs.client.images.summary()).total).toBe(0);
  });

  test('by a full disk: nothing is begun that does not fit', async () => {
    const { copy } = await exported();
    const theirs = await openTestLibrary();
    const { shop } = theirs.studio;
    const full = await failure(() => importLibrary(shop, copy, { ...running, freeBytes: 1000 }));
    expect(full).toMatchObject({ code: 'disk-full', reason: { code: 'copy-no-space' } });
    expect(existsSync(join(theirs.folder, 'images'))).toBe(false);
  });
});

type Attack = readonly [what: string, reason: string, harm: (copy: string) => Promise<unknown>];
const OUTSIDE = '/etc/hostname';
const ATTACKS: readonly Attack[] = [
  ['no manifest', 'copy-none', (copy) => rm(join(copy, 'manifest.json'))],
  [
    'a manifest that is no JSON',
    'copy-damaged',
    (copy) => writeFile(join(copy, 'manifest.json'), '{'),
  ],
  [
    'a manifest of a newer version',
    'document-newer',
    (copy) =>
      writeFile(join(copy, 'manifest.json'), '{"format":"rcg-studio-library-copy","version":2}'),
  ],
  [
    'another document than its own',
    'copy-damaged',
    async (copy) => {
      const path = join(copy, 'manifest.json');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace('"library.jsonl"', '"../library.jsonl"'));
    },
  ],
  ['a manifest that is a link', 'copy-unsafe', (copy) => link(copy, 'manifest.json')],
  ['a document that is a link', 'copy-unsafe', (copy) => link(copy, 'library.jsonl')],
  ['no document', 'copy-missing', (copy) => rm(join(copy, 'library.jsonl'))],
  ['a document cut short', 'copy-damaged', (copy) => truncate(join(copy, 'library.jsonl'), 900)],
  [
    'a changed note',
    'copy-damaged',
    async (copy) => {
      const path = join(copy, 'library.jsonl');
      await writeFile(path, (await readFile(path, 'utf8')).replace('quiet', 'QUIET'));
    },
  ],
  ['a picture gone', 'copy-missing', async (copy) => rm(await firstFile(copy))],
  ['a picture cut short', 'copy-damaged', async (copy) => truncate(await firstFile(copy), 50)],
  [
    'one bit of a picture',
    'copy-damaged',
    async (copy) => {
      const path = await firstFile(copy);
      const bytes = await readFile(path);
      bytes[200] = (bytes[200] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
  ],
  [
    'a picture that is a link',
    'copy-unsafe',
    async (copy) => {
      const path = await firstFile(copy);
      await rename(path, join(copy, 'elsewhere.png'));
      await symlink(join(copy, 'elsewhere.png'), path);
    },
  ],
  [
    'a folder of pictures that is a link',
    'copy-unsafe',
    async (copy) => {
      await rename(join(copy, 'images'), join(copy, 'elsewhere'));
      await symlink(join(copy, 'elsewhere'), join(copy, 'images'));
    },
  ],
  [
    'a picture that is a folder',
    'copy-unsafe',
    async (copy) => {
      const path = await firstFile(copy);
      await rm(path);
      await mkdir(path);
    },
  ],
  ...['/etc/passwd', '../outside.png', 'images/../../x.png', 'images/2026-11/..%2fx.png', ''].map(
    (path): Attack => [
      `a picture at ${JSON.stringify(path)}`,
      'document-damaged',
      (copy) => forgePicture(copy, (line) => ({ ...line, path })),
    ],
  ),
  [
    'a uid that climbs out',
    'document-damaged',
    (copy) => forgePicture(copy, (line) => ({ ...line, uid: '../../outside' })),
  ],
  [
    'a picture with another hash, the document being right',
    'copy-damaged',
    (copy) =>
      forgePicture(copy, (line) => ({
        ...line,
        file: { ...(line['file'] as object), sha256: 'a'.repeat(64) },
      })),
  ],
  [
    'a picture of other tokens',
    'copy-damaged',
    (copy) => forgePicture(copy, (line) => ({ ...line, tokenHash: 'a'.repeat(64) })),
  ],
  [
    'a file of our format that holds no picture',
    'copy-damaged',
    async (copy) => {
      const path = await firstFile(copy);
      const bytes = await readFile(OUTSIDE);
      await writeFile(path, bytes);
      await forgePicture(copy, (line) => ({
        ...line,
        file: { size: bytes.length, sha256: hash(bytes) },
      }));
    },
  ],
  [
    'a recipe that is none',
    'copy-damaged',
    async (copy) => {
      const all = await lines(copy);
      await forge(
        copy,
        all.map((line) =>
          line['without'] === undefined
            ? line
            : { ...line, without: { ...(line['without'] as object), recipe: { version: 1 } } },
        ),
      );
    },
  ],
  [
    'a picture twice',
    'copy-damaged',
    async (copy) => {
      const all = await lines(copy);
      const one = all.find(({ kind }) => kind === 'picture') ?? {};
      await forge(copy, [...all, one], { pictures: 8 });
    },
  ],
  [
    'more pictures than it says',
    'copy-damaged',
    async (copy) => forge(copy, await lines(copy), { pictures: 6 }),
  ],
  [
    'a count beyond reason',
    'copy-damaged',
    async (copy) => forge(copy, await lines(copy), { pictures: 2 ** 52 }),
  ],
  [
    'a rating of 9',
    'document-damaged',
    (copy) => forgePicture(copy, (line) => ({ ...line, rating: 9 })),
  ],
  [
    'a field that we do not know',
    'document-damaged',
    (copy) => forgePicture(copy, (line) => ({ ...line, run: 'rm -rf' })),
  ],
  [
    'a line without end',
    'document-damaged',
    async (copy) => {
      const all = await lines(copy);
      await forge(copy, [...all, { kind: 'board', name: 'x'.repeat(5 * 2 ** 20) }]);
    },
  ],
];

async function link(copy: string, name: string): Promise<void> {
  await rename(join(copy, name), join(copy, `${name}.real`));
  await symlink(join(copy, `${name}.real`), join(copy, name));
}

describe('an import is refused, and nothing of it comes in, with', () => {
  test.each(ATTACKS)('%s', async (_, reason, harm) => {
    const { copy } = await exported();
    await harm(copy);
    const theirs = await openTestLibrary();
    const before = described(theirs);
    const error = await failure(() => importLibrary(theirs.studio.shop, copy, running));
    expect(error.reason?.code).toBe(reason);
    expect(described(theirs)).toEqual(before);
    expect(existsSync(join(theirs.folder, 'images'))).toBe(false);
  });

  test.each(['', 'here', '/nowhere', OUTSIDE])('the folder %j', async (folder) => {
    const { client } = await openTestLibrary();
    await fails(
      client.library.import({ folder }),
      folder === '' ? 'invalid-request' : 'file-unavailable',
      'folder',
    );
  });
});

test('a picture that takes the name of ours is kept beside it, once', async () => {
  const { ours, copy } = await exported();
  const mine = ours.studio.shop.history().images.get(1);
  const theirs = await openTestLibrary();
  await addPictures(theirs, [90]);
  const history = theirs.studio.shop.history();
  const { path } = history.images.get(1);
  // Its file lies where the picture of the copy would be put.
  const taken = theirs.studio.shop.files.pathOf(mine.uid, mine.createdAt);
  await copyFile(join(theirs.folder, path), join(theirs.folder, taken));
  history.images.setFile(1, { state: 'present', path: taken });
  const bytes = await readFile(join(theirs.folder, taken));
  expect(await theirs.client.library.import({ folder: copy })).toMatchObject({ added: 7 });
  expect(await readFile(join(theirs.folder, taken))).toEqual(bytes);
  expect(await theirs.client.library.import({ folder: copy })).toMatchObject({
    added: 0,
    known: 7,
  });
});
