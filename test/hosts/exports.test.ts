import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import sharp from 'sharp';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readText, RECIPE_KEYWORD } from '#pictures/png';
import { openLibrary } from '#studio/models/installed';
import type { OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { httpClient, testServer, TOKEN } from './server.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let home: TestHome;
beforeAll(async () => {
  home = await testHome();
});

async function open(folder: string, options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, { libraryFolder: folder, ...options });
  const client: StudioClient = createRouterClient(createRouter(studio));
  const fetched = async (address: string) => {
    const file = await studio.assets.download(address);
    if (file === null) return null;
    const body = new Response(file.read(0, file.bytes - 1));
    return new Uint8Array(await body.arrayBuffer());
  };
  return { studio, client, folder, fetched };
}

/** A studio with three pictures, and their files. */
async function filled() {
  const opened = await open(await libraryFolder());
  const { id } = await opened.client.jobs.create(sample({ count: 3, seed: 60 }));
  const { images: ids } = await ended(opened.client, id);
  const details = await Promise.all(ids.map((image) => opened.client.images.get({ id: image })));
  const files = details.map(({ path }) => join(opened.folder, path));
  return { ...opened, ids: [...ids], files };
}

/** The files of an archive of ours: stored, one after the other. */
function readZip(zip: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const files = new Map<string, Uint8Array>();
  for (let at = 0; view.getUint32(at, true) === 0x04034b50;) {
    const name = at + 30;
    const data = name + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
    const end = data + view.getUint32(at + 18, true);
    files.set(new TextDecoder().decode(zip.subarray(name, data)), zip.slice(data, end));
    at = end;
  }
  return files;
}

const pixels = (png: Uint8Array) => sharp(png).raw().toBuffer();

describe('an export', () => {
  test('makes lost, dropped and damaged files again, and ships nothing broken', async () => {
    const { client, fetched, ids, files } = await filled();
    const [first = '', second = '', third = ''] = files;
    const before = await Promise.all(files.map(async (file) => pixels(await readFile(file))));
    await rm(first);
    await client.images.dropPixels({ ids: [ids[1] ?? 0] });
    const bytes = await readFile(third);
    bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 0xff;
    await writeFile(third, bytes);

    const made = await client.images.export({ ids, metadata: true });
    expect(made).toMatchObject({ name: 'rcg-studio-3.zip', exported: 3, leftOut: [] });
    const zip = readZip((await fetched(made.address)) ?? new Uint8Array());
    expect([...zip.keys()]).toEqual(['tiny-60.png', 'tiny-61.png', 'tiny-62.png']);
    expect(await Promise.all([...zip.values()].map(pixels))).toEqual(before);
    for (const png of zip.values()) expect(readText(png, RECIPE_KEYWORD, 'x')).not.toBeNull();
    // The library is as it was: an export changes nothing.
    expect(await readdir(join(second, '..'))).toHaveLength(1);

    const bare = await client.images.export({ ids: [ids[0] ?? 0], metadata: false });
    expect(bare).toMatchObject({ name: 'tiny-60.png', exported: 1, leftOut: [] });
    const png = (await fetched(bare.address)) ?? new Uint8Array();
    expect(png).toHaveLength(bare.bytes);
    expect(readText(png, RECIPE_KEYWORD, 'x')).toBeNull();
  });

  test('counts what it holds, and says why the rest was left out', async () => {
    const { client, studio, folder, ids, files } = await filled();
    const photo = await sharp({
      create: { width: 40, height: 40, channels: 3, background: '#a03' },
    })
      .png()
      .toBuffer();
    const taken = await client.images.import({
      files: [new File([Uint8Array.from(photo)], 'red.png')],
    });
    const [foreign = 0] = taken.ids;
    await rm(join(folder, (await client.images.get({ id: foreign })).path));
    await rm(files[0] ?? '');
    await studio.close();
    const models = join(await libraryFolder(), 'models');
    const { client: bare, fetched } = await open(folder, { models: openLibrary(models, []) });
    const made = await bare.images.export({ ids: [...ids, foreign, 999], metadata: true });
    expect(made).toMatchObject({
      name: 'rcg-studio-2.zip',
      exported: 2,
      leftOut: [
        { id: ids[0], reason: { code: 'export-no-model', values: { model: 'Tiny' } } },
        { id: foreign, reason: { code: 'export-foreign', values: {} } },
        { id: 999, reason: { code: 'export-gone', values: {} } },
      ],
    });
    const zip = readZip((await fetched(made.address)) ?? new Uint8Array());
    expect([...zip.keys()]).toEqual(['tiny-61.png', 'tiny-62.png']);
    await fails(bare.images.export({ ids: [ids[0] ?? 0], metadata: true }), 'file-unavailable');
    await fails(bare.images.export({ ids: [999, foreign], metadata: true }), 'file-unavailable');
  });

  test('of one picture without its recipe has an address of its own', async () => {
    const { studio, ids } = await filled();
    const [full, bare] = await Promise.all(
      ['full', 'bare'].map((kind) => studio.assets.get(`/images/${ids[0]}/${kind}`)),
    );
    expect(readText(full?.bytes ?? new Uint8Array(), RECIPE_KEYWORD, 'x')).not.toBeNull();
    expect(readText(bare?.bytes ?? new Uint8Array(), RECIPE_KEYWORD, 'x')).toBeNull();
    expect(await pixels(bare?.bytes ?? new Uint8Array())).toEqual(
      await pixels(full?.bytes ?? new Uint8Array()),
    );
    expect(bare?.etag).not.toBe(full?.etag);
    expect(await studio.assets.get('/images/99/bare')).toBeNull();
  });

  test('leaves nothing in the cache once it was fetched, and is gone for a second time', async () => {
    const { client, fetched, ids } = await filled();
    const made = await client.images.export({ ids, metadata: true });
    const folder = join(home.cache, 'exports');
    expect((await readdir(folder)).length).toBeGreaterThan(0);
    expect(await fetched(made.address)).toHaveLength(made.bytes);
    await expect.poll(() => readdir(folder)).toEqual([]);
    expect(await fetched(made.address)).toBeNull();
  });

  test.each(['/exports/x/y.zip', '/exports/../library.db', '/exports/', '/exports/%2e%2e/x'])(
    'is not had by a made-up address: %s',
    async (address) => {
      const { fetched } = await open(await libraryFolder());
      expect(await fetched(address)).toBeNull();
    },
  );

  test('comes over HTTP as a download, in parts too, and a look at its head costs nothing', async () => {
    const { studio, folder, ids } = await filled();
    const host = await testServer(studio, folder);
    const made = await httpClient(host).images.export({ ids, metadata: true });
    const url = `http://127.0.0.1:${host.port}${made.address}`;
    const authorization = `Bearer ${TOKEN}`;
    const head = await fetch(url, { method: 'HEAD', headers: { authorization } });
    expect(head.headers.get('content-length')).toBe(String(made.bytes));
    const part = await fetch(url, { headers: { authorization, range: 'bytes=0-1' } });
    expect([part.status, await part.text()]).toEqual([206, 'PK']);
    expect((await fetch(url)).status).toBe(401);
    const whole = await fetch(url, { headers: { authorization } });
    expect(whole.headers.get('content-disposition')).toBe(`attachment; filename="${made.name}"`);
    expect(whole.headers.get('content-type')).toBe('application/zip');
    expect((await whole.arrayBuffer()).byteLength).toBe(made.bytes);
    expect((await fetch(url, { headers: { authorization } })).status).toBe(404);
  });
});

describe('copies for other programs', () => {
  test('are of what is whole, and nothing is made again', async () => {
    const { studio, client, ids, files } = await filled();
    await rm(files[1] ?? '');
    const copies = await studio.exports.copies([...ids, 99], { metadata: true });
    expect(copies.map((path) => basename(path))).toEqual(['tiny-60.png', 'tiny-62.png']);
    expect(await readFile(copies[0] ?? '')).toEqual(await readFile(files[0] ?? ''));
    const twice = await studio.exports.copies([ids[0] ?? 0, ids[0] ?? 0], { metadata: false });
    expect(twice.map((path) => basename(path))).toEqual(['tiny-60.png', 'tiny-60-2.png']);
    expect(readText(await readFile(twice[1] ?? ''), RECIPE_KEYWORD, 'x')).toBeNull();
    // Those that may still be read stay while the studio is open.
    await client.library.reindex();
    expect(await readdir(dirname(copies[0] ?? ''))).toHaveLength(2);
    expect(await studio.exports.copies([98, 99], { metadata: true })).toEqual([]);
  });

  test('are gone at the next start', async () => {
    const { studio, ids, folder } = await filled();
    const [copy = ''] = await studio.exports.copies(ids, { metadata: true });
    await studio.close();
    const next = await open(folder);
    await next.client.library.reindex();
    await expect
      .poll(() =>
        readFile(copy).then(
          () => 'there',
          () => 'gone',
        ),
      )
      .toBe('gone');
  });

  test('that cannot be written are an error, and leave nothing', async () => {
    const { studio, ids } = await filled();
    const cache = join(studio.shop.home.cache, 'exports');
    await rm(cache, { recursive: true, force: true });
    await writeFile(cache, 'in the way');
    onTestFinished(() => rm(cache, { force: true }));
    const failed = studio.exports.copies(ids, { metadata: true });
    await expect(failed).rejects.toMatchObject({ code: 'file-unavailable' });
  });
});
