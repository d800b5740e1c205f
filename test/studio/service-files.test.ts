import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openImageFiles } from '#pictures/image-files';
import { formatLibraryText, operationOf, parseLibraryText } from '#pictures/library-text';
import { encodePng } from '#pictures/pictures';
import { insertTexts, pngWidth, readText, stripTexts } from '#pictures/png';
import { createTurns, openThumbnails } from '#pictures/thumbnails';
import { writeZip, type ZipEntry } from '#pictures/zip-writer';
import { openSettings } from '#studio/settings';
import { failure, temporaryFolder } from './helpers.ts';

const uid = 'abcdef0123456789';
const png = () => encodePng({ width: 8, height: 8, data: new Uint8Array(192).fill(90) }, []);

describe('the picture files', () => {
  test('are named by month and uid, written whole, and told apart by content', async () => {
    const files = openImageFiles(await temporaryFolder());
    const path = files.pathOf(uid, Date.UTC(2026, 0, 31, 23, 59));
    expect(path).toBe(`images/2026-01/${uid}.png`);
    const first = await files.write(path, Uint8Array.from([1, 2, 3]));
    const second = await files.write(path, Uint8Array.from([1, 2, 4]));
    expect(first.bytes).toBe(3);
    expect(first.version).not.toBe(second.version);
    expect(await files.read(path)).toEqual(Uint8Array.from([1, 2, 4]));
    expect(await files.check(path)).toBe('damaged');
    const whole = await png();
    await files.write(path, whole);
    expect(await files.check(path)).toBe('whole');
    await files.write(path, whole.with(whole.length - 30, 0x5a));
    expect(await files.check(path)).toBe('damaged');
    await files.remove([path, path]);
    expect(await files.check(path)).toBe('gone');
    await symlink(join(files.folder, path), join(files.folder, path));
    expect(await files.check(path)).toBe('unread');
  });

  test.each([
    '../outside.png',
    'images/../../outside.png',
    'images/2026-01/../../../x.png',
    '/etc/passwd',
    'images/2026-01/x.txt',
    'images/2026-01/.hidden.png',
    'thumbs/ab/x.png',
    '',
  ])('a row that says %s leads nowhere', async (path) => {
    const files = openImageFiles(await temporaryFolder());
    expect((await failure(() => files.absolute(path))).code).toBe('file-unavailable');
    await files.remove([path]);
  });

  test('a disk that is nearly full is refused before anything is begun', async () => {
    const files = openImageFiles(await temporaryFolder(), 2 ** 60);
    expect((await failure(() => files.checkSpace())).code).toBe('disk-full');
    await openImageFiles(files.folder).checkSpace();
  });

  test('a scan tells finished files from unfinished ones; no folder is no files', async () => {
    const folder = await temporaryFolder();
    const files = openImageFiles(folder);
    expect(await files.scan()).toEqual({ paths: [], unfinished: [] });
    const path = files.pathOf(uid, 0);
    await files.write(path, await png());
    const unfinished = join(folder, 'images/1970-01', '.x.png.0011aabbccdd.tmp');
    await writeFile(unfinished, 'half');
    expect(await files.scan()).toEqual({ paths: [path], unfinished: [unfinished] });
  });

  test('a scan looks into folders that a person made, and follows links only as months', async () => {
    const folder = await temporaryFolder();
    const files = openImageFiles(folder);
    const away = join(folder, 'other disk');
    await mkdir(join(folder, 'images/trip/day 1'), { recursive: true });
    await mkdir(away);
    for (const name of ['images/trip/day 1/a.PNG', 'images/b.png', 'other disk/c.png']) {
      await writeFile(join(folder, name), 'x');
    }
    await symlink(away, join(folder, 'images/2020-01'));
    await symlink(join(folder, 'images'), join(folder, 'images/trip/round'));
    let deep = 'images';
    for (let i = 0; i < 12; i++) deep += '/deep';
    await mkdir(join(folder, deep), { recursive: true });
    await writeFile(join(folder, deep, 'd.png'), 'x');
    expect((await files.scan()).paths).toEqual([
      'images/2020-01/c.png',
      'images/b.png',
      'images/trip/day 1/a.PNG',
      'images/trip/round',
    ]);
  });

  test('a file is settled where nothing is, and nowhere else', async () => {
    const files = openImageFiles(await temporaryFolder());
    const path = files.pathOf(uid, 0);
    await mkdir(join(files.folder, 'images'));
    await writeFile(join(files.folder, 'images/a.png'), 'a');
    await writeFile(join(files.folder, 'images/b.png'), 'b');
    expect(await files.settle('images/a.png', path)).toBe(true);
    expect(await files.settle('images/b.png', path)).toBe(false);
    expect((await files.scan()).paths).toEqual([path, 'images/b.png']);
    const out = failure(() => files.settle('images/b.png', '../b.png'));
    expect((await out).code).toBe('file-unavailable');
  });
});

describe('thumbnails', () => {
  test('are made once, small, and again when they are lost or damaged', async () => {
    const files = openImageFiles(await temporaryFolder());
    const path = files.pathOf(uid, 0);
    const large = { width: 600, height: 600, data: new Uint8Array(600 * 600 * 3).fill(60) };
    const { version } = await files.write(path, await encodePng(large, []));
    const thumbnails = openThumbnails(files);
    const picture = { uid, version, path };
    const [one, two] = await Promise.all([
      thumbnails.get(picture, 256),
      thumbnails.get(picture, 256),
    ]);
    expect(one).toEqual(two);
    const { default: sharp } = await import('sharp');
    expect(await sharp(one).metadata()).toMatchObject({ format: 'webp', width: 256, height: 256 });
    const folder = join(files.folder, 'thumbs', 'ab');
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), 'damaged');
    expect(await thumbnails.get(picture, 256)).toEqual(one);
    await thumbnails.remove([uid]);
    expect(await readdir(folder)).toEqual([]);
  });

  /** A picture of 600 pixels, and what lies beside it. */
  async function pictured() {
    const files = openImageFiles(await temporaryFolder());
    const path = files.pathOf(uid, 0);
    const data = Uint8Array.from({ length: 600 * 600 * 3 }, (_, at) => (at * at) % 251);
    const { version } = await files.write(path, await encodePng({ ...SIDE, data }, []));
    const folder = join(files.folder, 'thumbs', uid.slice(0, 2));
    const names = async () => (await readdir(folder).catch(() => [])).toSorted();
    return { files, picture: { uid, version, path }, names, folder };
  }
  const SIDE = { width: 600, height: 600 } as const;
  const width = async (webp: Uint8Array) => {
    const { default: sharp } = await import('sharp');
    return (await sharp(webp).metadata()).width;
  };

  test('of another edge are made anew and take the place of the old ones', async () => {
    const { files, picture, names } = await pictured();
    const thumbnails = openThumbnails(files);
    const small = `${uid}-${picture.version}.webp`;
    const large = `${uid}-${picture.version}-512.webp`;
    expect(await width(await thumbnails.get(picture, 256))).toBe(256);
    expect(await names()).toEqual([small]);
    const both = [thumbnails.get(picture, 512), thumbnails.get(picture, 512)];
    expect(await Promise.all((await Promise.all(both)).map(width))).toEqual([512, 512]);
    expect(await names()).toEqual([large]);
    expect(await width(await thumbnails.get(picture, 256))).toBe(256);
    expect(await names()).toEqual([small]);
    await thumbnails.get(picture, 512);
    await thumbnails.remove([uid]);
    expect(await names()).toEqual([]);
  });

  test('of a picture whose pixels were given up stay, whatever edge is asked for', async () => {
    const { files, picture, names } = await pictured();
    const thumbnails = openThumbnails(files);
    const kept = Uint8Array.from(await thumbnails.get(picture, 256));
    await files.remove([picture.path]);
    for (const edge of [512, 256] as const) {
      expect(Uint8Array.from(await thumbnails.get(picture, edge))).toEqual(kept);
    }
    expect(await names()).toHaveLength(1);
    await thumbnails.remove([uid]);
    expect((await failure(() => thumbnails.get(picture, 512))).code).toBe('file-unavailable');
  });

  test('of a damaged picture are the ones from before, and damaged ones are none', async () => {
    const { files, picture, names, folder } = await pictured();
    const thumbnails = openThumbnails(files);
    const kept = Uint8Array.from(await thumbnails.get(picture, 512));
    await files.write(picture.path, Uint8Array.from([137, 80, 78, 71]));
    expect(Uint8Array.from(await thumbnails.get(picture, 256))).toEqual(kept);
    const [name = ''] = await names();
    await writeFile(join(folder, name), 'damaged');
    for (const edge of [256, 512] as const) {
      const got = await failure(() => thumbnails.get(picture, edge));
      expect(got.code).toBe('picture-unreadable');
    }
  });

  test('are not kept, and none is deleted, where nothing may be written', async () => {
    const { files, picture, names } = await pictured();
    await openThumbnails(files).get(picture, 256);
    const before = await names();
    expect(await width(await openThumbnails(files, false).get(picture, 512))).toBe(512);
    expect(await names()).toEqual(before);
  });

  test('a damaged picture has none, and says so', async () => {
    const files = openImageFiles(await temporaryFolder());
    const path = files.pathOf(uid, 0);
    const { version } = await files.write(path, Uint8Array.from([137, 80, 78, 71]));
    const got = await failure(() => openThumbnails(files).get({ uid, version, path }, 256));
    expect(got.code).toBe('picture-unreadable');
  });

  test('no more than so many are made at once, and a failure frees its place', async () => {
    const turns = createTurns(2);
    let running = 0;
    let most = 0;
    const work = async (i: number): Promise<number> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      if (i === 1) throw new Error('no');
      return i;
    };
    const results = await Promise.allSettled([0, 1, 2, 3, 4, 5].map((i) => turns(() => work(i))));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    expect(most).toBe(2);
  });
});

describe('what a picture says of its library', () => {
  const text = {
    version: 1 as const,
    uid,
    createdAt: 1_790_000_000_000,
    operation: 'variation' as const,
    parents: [{ uid: 'ffff0000ffff', operation: 'variation' as const }],
    times: { representation: 1.5, tokens: 2, pixels: 3 },
    job: { id: 4, index: 2, createdAt: 1_790_000_000_000 },
  };

  test('comes back as it was', () => {
    expect(parseLibraryText(formatLibraryText(text), 'a.png')).toEqual(text);
  });
  test.each([
    ['no JSON', '{"version":'],
    ['nothing', 'null'],
    ['another version', JSON.stringify({ ...text, version: 2 })],
    ['a uid that is a path', JSON.stringify({ ...text, uid: '../../evil' })],
    ['a time in the far future', JSON.stringify({ ...text, createdAt: 1e15 })],
    ['a time that is text', JSON.stringify({ ...text, createdAt: '2026' })],
    ['a thousand parents', JSON.stringify({ ...text, parents: Array(1000).fill(text.parents[0]) })],
    ['an operation that we do not know', JSON.stringify({ ...text, operation: 'x' })],
  ])('%s is refused', async (_, wrong) => {
    const got = await failure(() => parseLibraryText(wrong, 'a.png'));
    expect(got.code).toBe('picture-unreadable');
    expect(got.message).toContain('a.png');
  });
  test('a recipe alone tells enough', () => {
    expect(
      (['sample', 'picture', 'representation', 'interpolation'] as const).map(operationOf),
    ).toEqual(['generate', 'variation', 'variation', 'interpolation']);
  });
  test('is left out of an export without metadata, pixels stay', async () => {
    const said = insertTexts(await png(), [{ keyword: 'rcg-studio', text: '{}' }]);
    const bare = stripTexts(said, 'a.png');
    expect(readText(bare, 'rcg-studio', 'a.png')).toBeNull();
    expect(bare).toEqual(await png());
    expect(pngWidth(bare, 'a.png')).toBe(8);
  });
});

describe('a ZIP', () => {
  async function* entries(list: readonly ZipEntry[]): AsyncGenerator<ZipEntry> {
    for (const entry of list) yield Promise.resolve(entry);
  }
  const at = Date.UTC(2026, 10, 23, 12, 30, 10);

  test('is what other programs take for one', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.zip');
    const list = [
      { name: 'one.png', bytes: await png(), time: at },
      { name: '絵 2.png', bytes: new Uint8Array(0), time: 0 },
    ];
    const written = await writeZip(path, entries(list));
    expect(written).toEqual({ bytes: (await readFile(path)).length, entries: 2 });
    const script = `
      import json, sys, zipfile
      z = zipfile.ZipFile(sys.argv[1])
      assert z.testzip() is None
      print(json.dumps([[i.filename, i.file_size, i.date_time[0]] for i in z.infolist()]))`;
    let said: string;
    try {
      said = execFileSync('python3', ['-c', script.replace(/^ {6}/gm, ''), path]).toString();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    expect(JSON.parse(said)).toEqual([
      ['one.png', list[0]?.bytes.length, 2026],
      ['絵 2.png', 0, 1980],
    ]);
  });

  test('of nothing is empty, and of very many has them all', async () => {
    const folder = await temporaryFolder();
    expect(await writeZip(join(folder, 'none.zip'), entries([]))).toMatchObject({ entries: 0 });
    const many = Array.from({ length: 70_000 }, (_, i) => ({
      name: `${i}`,
      bytes: new Uint8Array(0),
      time: at,
    }));
    const path = join(folder, 'many.zip');
    expect(await writeZip(path, entries(many))).toMatchObject({ entries: 70_000 });
    const bytes = await readFile(path);
    const end = bytes.length - 22 - 20 - 56;
    expect([bytes.readUInt32LE(end), bytes.readBigUInt64LE(end + 32)]).toEqual([
      0x06064b50,
      70_000n,
    ]);
  });

  test('a source that fails leaves the error, not a broken archive in use', async () => {
    async function* failing(): AsyncGenerator<ZipEntry> {
      yield await Promise.resolve({ name: 'a', bytes: new Uint8Array(1), time: at });
      throw new Error('gone');
    }
    const folder = await temporaryFolder();
    await mkdir(folder, { recursive: true });
    await expect(writeZip(join(folder, 'x.zip'), failing())).rejects.toThrow('gone');
  });
});

describe('settings', () => {
  const defaults = openSettings(null).get();

  const store = (initial?: unknown) => {
    const kept = new Map<string, unknown>([['settings', initial]]);
    const settings = {
      get: (key: string) => kept.get(key),
      set: (key: string, value: unknown) => void kept.set(key, value),
    };
    return { kept, open: () => openSettings({ settings }) };
  };

  test('are kept, and each that makes no sense is its default', () => {
    const { open } = store();
    expect(open().get()).toEqual(defaults);
    open().change({ theme: 'dark', binDays: 3 });
    expect(open().get()).toEqual({ ...defaults, theme: 'dark', binDays: 3 });
    const other = store({ theme: 'neon', binDays: 5, unknown: 1 });
    expect(other.open().get()).toEqual({ ...defaults, binDays: 5 });
    for (const wrong of [null, 7, 'x', [], { theme: null }]) {
      expect(store(wrong).open().get()).toEqual(defaults);
    }
  });

  test('of an older version get what they lack, and a wrong size of thumbnails is the default', () => {
    const { thumbnailEdge: _, ...older } = { ...defaults, theme: 'dark' as const };
    expect(store(older).open().get()).toEqual({ ...defaults, theme: 'dark' });
    for (const wrong of [0, 128, 257, '512', null, [512], 1e9]) {
      expect(
        store({ ...older, thumbnailEdge: wrong })
          .open()
          .get().thumbnailEdge,
      ).toBe(256);
    }
    expect(
      store({ ...older, thumbnailEdge: 512 })
        .open()
        .get().thumbnailEdge,
    ).toBe(512);
  });

  test('a wrong change is refused and changes nothing', async () => {
    const { open, kept } = store();
    const got = await failure(() => open().change({ binDays: 0 }));
    expect(got).toMatchObject({ code: 'invalid-request', field: 'binDays' });
    expect(kept.get('settings')).toBeUndefined();
  });

  test('without a library last as long as the studio', () => {
    const settings = openSettings(null);
    settings.change({ language: 'ja' });
    expect(settings.get().language).toBe('ja');
  });
});
