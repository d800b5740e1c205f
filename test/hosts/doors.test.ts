import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '#history/database';
import { MIGRATIONS } from '#history/migrations';
import { networkDrive } from '#studio/library/network';
import type { OpenStudioOptions } from '#studio/open-studio';
import { createRouter } from '#studio/router';
import { ended, fails, sample, type StudioClient } from './conformance.ts';
import { libraryFolder, testHome, testStudio, type TestHome } from './studio.ts';

let shared: TestHome;
beforeAll(async () => {
  shared = await testHome();
});

const newest = { filter: {}, sort: { by: 'createdAt', descending: true } } as const;

async function ownHome(): Promise<TestHome> {
  return { ...shared, root: await libraryFolder() };
}

async function open(home: TestHome, options: Partial<OpenStudioOptions> = {}) {
  const studio = await testStudio(home, options);
  const client: StudioClient = createRouterClient(createRouter(studio));
  return { studio, client, library: join(home.root, 'library') };
}

/** A home with a picture in its library, closed. */
async function filledHome(): Promise<TestHome> {
  const home = await ownHome();
  const { studio, client } = await open(home);
  await ended(client, (await client.jobs.create(sample({}))).id);
  await studio.close();
  return home;
}

const idsOf = async (client: StudioClient) => (await client.images.search(newest)).ids;
const stateOf = async (client: StudioClient) => (await client.studio.status()).state;

/** Names and hashes of all that is in a folder, but for what a lock leaves. */
async function contents(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.includes('.lock'));
  const lines = files.map(async ({ parentPath, name }) => {
    const bytes = await readFile(join(parentPath, name));
    return `${join(parentPath, name)} ${createHash('sha256').update(bytes).digest('hex')}`;
  });
  return (await Promise.all(lines)).toSorted();
}

/** Disks of a Linux machine: the number of each folder's file system, and what is mounted. */
const linux = (typeOf: (folder: string) => number | Promise<number>, mounts = '') => ({
  platform: 'linux',
  typeOf: async (folder: string) => typeOf(folder),
  mounts: async () => mounts,
});
const NFS = linux(() => 0x6969);
const MOUNTS = String.raw`
24 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
61 24 0:52 / /mnt/the\040lab rw,nosuid shared:33 - fuse.sshfs lab:/data rw,user_id=1000
62 61 0:53 / /mnt/the\040lab/here rw shared:34 - fuse.gocryptfs /home/a/b rw
63 24 8:17 / /mnt/stick rw shared:35 - fuseblk /dev/sdb1 rw
`;

describe('a library on a network drive', () => {
  test('is a state of its own, can be looked at, and nothing of it changes', async () => {
    const home = await filledHome();
    const library = join(home.root, 'library');
    const before = await contents(library);
    const { studio, client } = await open(home, { disks: NFS });
    expect(await stateOf(client)).toEqual({ kind: 'network', filesystem: 'NFS' });
    await fails(client.images.search(newest), 'library-unavailable');
    await fails(client.jobs.create(sample({ model: 'tiny' })), 'library-unavailable');
    expect((await client.library.reopen({ readOnly: true })).state).toEqual({ kind: 'read-only' });
    const [id = 0] = await idsOf(client);
    // Not even a thumbnail is kept.
    expect((await studio.assets.get(`/images/${id}/thumb`))?.type).toBe('image/webp');
    await fails(client.images.update({ ids: [id], rating: 1 }), 'library-unavailable');
    await studio.close();
    expect(await contents(library)).toEqual(before);
  });

  test('is none to move to', async () => {
    const { client } = await open(await filledHome());
    const to = join(await libraryFolder(), 'share');
    const { client: other } = await open(await filledHome(), {
      disks: linux((of) => (of === to ? 0x517b : 0xef53)),
    });
    await fails(other.library.move({ folder: to }), 'invalid-request', 'folder');
    expect(await stateOf(other)).toEqual({ kind: 'open' });
    expect(await stateOf(client)).toEqual({ kind: 'open' });
  });

  test.each<[string, string, number, string | null]>([
    ['linux', '/mnt/x', 0xff534d42, 'SMB'],
    ['linux', '/mnt/x', -0xacb2be, 'SMB'],
    ['linux', '/mnt/c/pictures', 0x01021997, '9P'],
    ['linux', '/mnt/x', 0xef53, null],
    ['darwin', '/Volumes/x', 0x6969, null],
    ['win32', String.raw`\\server\share\x`, 0, 'Windows share'],
    ['win32', String.raw`\\?\UNC\server\share`, 0, 'Windows share'],
    ['win32', String.raw`\\?\C:\x`, 0, null],
    ['win32', String.raw`C:\x`, 0, null],
  ])('on %s, %s of type %d is %s', async (platform, folder, type, name) => {
    expect(await networkDrive(folder, { ...linux(() => type), platform })).toBe(name);
  });

  test.each([
    ['/mnt/the lab/pictures', 'SSHFS'],
    ['/mnt/the lab', 'SSHFS'],
    ['/mnt/the lab/here/pictures', null],
    ['/mnt/the laboratory', null],
    ['/mnt/stick/pictures', null],
  ])('served by a program, %s is %s', async (folder, name) => {
    expect(
      await networkDrive(
        folder,
        linux(() => 0x65735546, MOUNTS),
      ),
    ).toBe(name);
  });

  test('a folder that is not there yet is judged by the one above', async () => {
    const none = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
    const above = linux((of) => (of === '/mnt' ? 0x6969 : none('ENOENT')));
    expect(await networkDrive('/mnt/a/b', above)).toBe('NFS');
    expect(
      await networkDrive(
        '/mnt/a/b',
        linux(() => none('EACCES')),
      ),
    ).toBeNull();
    expect(await networkDrive(await libraryFolder())).toBeNull();
  });
});

describe('a library that cannot be written to just now', () => {
  test('the name of its holder need not fit on the disk', async () => {
    const home = await filledHome();
    await mkdir(join(home.root, 'library', 'library.db.owner'));
    const { client } = await open(home);
    expect(await stateOf(client)).toEqual({ kind: 'open' });
    expect(await idsOf(client)).toHaveLength(1);
  });

  test('it is opened for looking, and says why', async () => {
    const home = await ownHome();
    const library = join(home.root, 'library');
    await mkdir(library);
    // An older format, whose copy before the change cannot be written.
    const old = openDatabase(join(library, 'library.db'), {
      now: () => 0,
      appVersion: '0.0.1',
      migrations: MIGRATIONS.slice(0, -1),
    });
    if (old.database !== null) old.close();
    await writeFile(join(library, 'backups'), 'a file where the folder should be');
    const before = await contents(library);
    const { studio, client } = await open(home);
    expect((await stateOf(client)).kind).toBe('read-only');
    expect(await idsOf(client)).toEqual([]);
    await studio.close();
    expect(await contents(library)).toEqual(before);
  });

  test('on a full disk it is opened for looking, or not at all, and the studio starts', async ({
    skip,
  }) => {
    const home = await ownHome();
    const library = join(home.root, 'library');
    await mkdir(library);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', library]);
    } catch {
      skip('Only an administrator can make a small disk.');
    }
    onTestFinished(() => void execFileSync('umount', ['-l', library]));
    const fill = join(library, 'fill');
    const full = () =>
      writeFile(fill, Buffer.alloc(2 << 20)).catch((error: unknown) => String(error));
    await full();
    const first = await open(home);
    expect(await stateOf(first.client)).toMatchObject({
      kind: 'missing',
      reason: { code: 'library-disk-full' },
    });
    await first.studio.close();
    await writeFile(fill, '');
    const roomy = await open(home);
    expect(await stateOf(roomy.client)).toEqual({ kind: 'open' });
    await roomy.client.studio.configure({ theme: 'light' });
    await roomy.studio.close();
    await full();
    const second = await open(home);
    expect(await stateOf(second.client)).toEqual({
      kind: 'read-only',
      reason: { code: 'library-disk-full', values: {} },
    });
    expect(await idsOf(second.client)).toEqual([]);
    await writeFile(fill, '');
    const { state } = await second.client.library.reopen({ readOnly: false });
    expect(state).toEqual({ kind: 'open' });
  });
});

describe('a start that fails', () => {
  test('on a broken note of the library’s place: said so, and another can be chosen', async () => {
    const home = await ownHome();
    await writeFile(join(home.root, 'library.json'), '{"version":');
    const { client, library } = await open(home);
    expect(await stateOf(client)).toMatchObject({
      kind: 'missing',
      detail: expect.stringContaining('library.json') as string,
    });
    expect((await client.library.reopen({ readOnly: false })).state.kind).toBe('missing');
    expect(existsSync(library)).toBe(false);
    const folder = await libraryFolder();
    expect((await client.library.choose({ folder })).state).toEqual({ kind: 'open' });
    expect((await client.studio.status()).libraryFolder).toBe(folder);
  });

  test('on a folder that is a file', async () => {
    const home = await ownHome();
    await writeFile(join(home.root, 'library'), '');
    const { client } = await open(home);
    expect((await stateOf(client)).kind).toBe('missing');
    expect((await client.models.list()).map(({ id }) => id)).toEqual(['tiny']);
  });
});

describe('choosing another library', () => {
  test('opens one that is there, begins one where none is, and goes back', async () => {
    const home = await filledHome();
    const other = join((await filledHome()).root, 'library');
    const { studio, client, library } = await open(home);
    await client.images.update({ ids: [1], rating: 5 });
    expect((await client.library.choose({ folder: other })).state).toEqual({ kind: 'open' });
    expect((await client.images.get({ id: 1 })).rating).toBe(0);
    const fresh = join(await libraryFolder(), 'fresh');
    expect((await client.library.choose({ folder: fresh })).state).toEqual({ kind: 'open' });
    expect(await idsOf(client)).toEqual([]);
    await studio.close();
    const again = await open(home);
    expect((await again.client.studio.status()).libraryFolder).toBe(fresh);
    await again.client.library.choose({ folder: library });
    expect((await again.client.images.get({ id: 1 })).rating).toBe(5);
  });

  test('refuses what is no place for a library, by the field, and nothing changes', async () => {
    const home = await filledHome();
    const { client, library } = await open(home);
    const full = await libraryFolder();
    await writeFile(join(full, 'letter.txt'), 'x');
    const wrong = ['here', join(full, 'a', 'b'), join(full, 'letter.txt'), full];
    for (const folder of wrong) {
      await fails(client.library.choose({ folder }), 'invalid-request', 'folder');
    }
    expect((await client.studio.status()).libraryFolder).toBe(library);
    expect(await idsOf(client)).toHaveLength(1);
    expect(await readdir(full)).toEqual(['letter.txt']);
    const given = await open(home, { libraryFolder: await libraryFolder() });
    const folder = await libraryFolder();
    await fails(given.client.library.choose({ folder }), 'invalid-request', 'folder');
  });
});
