import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import { fileError, makeFolder, readHead, readWhole, writeAtomic } from '#pictures/files';
import { failure, temporaryFolder } from '../studio/helpers.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('system errors in words', () => {
  test.each([
    ['ENOSPC', 'disk-full', /disk is full.*free some space/],
    ['EDQUOT', 'disk-full', /disk is full/],
    ['ENOENT', 'file-unavailable', /does not exist/],
    ['EACCES', 'file-unavailable', /permission/],
    ['EROFS', 'file-unavailable', /read-only/],
    ['EIO', 'file-unavailable', /check the disk/],
    ['EFBIG', 'file-unavailable', /larger than this disk or your account allows; choose/],
  ])('%s is %s', (code, expected, message) => {
    const error = fileError(systemError(code), 'write', '/x/y.png');
    expect(error).toBeInstanceOf(StudioError);
    expect(error).toMatchObject({ code: expected, message: expect.stringMatching(message) });
    expect((error as StudioError).message).toContain('write /x/y.png');
  });

  test('what is no system error is left as it is', () => {
    const bug = new TypeError('x is not a function');
    expect(fileError(bug, 'write', '/x')).toBe(bug);
  });
});

describe('writing', () => {
  test('makes the file, replaces it, and leaves nothing else', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.bin');
    await writeAtomic(path, Uint8Array.of(1, 2, 3));
    await writeAtomic(path, Uint8Array.of(4));
    expect(await readdir(folder)).toEqual(['a.bin']);
    expect([...(await readFile(path))]).toEqual([4]);
  });

  test('a failure leaves what was there, and no temporary file', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'taken'));
    await writeFile(join(folder, 'taken', 'inside'), 'x');
    expect((await failure(() => writeAtomic(join(folder, 'taken'), Uint8Array.of(1)))).code).toBe(
      'file-unavailable',
    );
    expect(await readdir(folder)).toEqual(['taken']);
  });

  test('a missing folder is named', async () => {
    const path = join(await temporaryFolder(), 'no', 'a.png');
    expect((await failure(() => writeAtomic(path, Uint8Array.of(1)))).message).toContain(path);
  });

  test('a folder is made with its parents, and a file in its way is an error of the field', async () => {
    const folder = await temporaryFolder();
    await makeFolder(join(folder, 'a', 'b'), 'out');
    await makeFolder(join(folder, 'a', 'b'), 'out');
    await writeFile(join(folder, 'file'), '');
    for (const bad of ['file', join('file', 'below')]) {
      expect(await failure(() => makeFolder(join(folder, bad), 'out'))).toMatchObject({
        code: 'file-unavailable',
        field: 'out',
      });
    }
  });
});

describe('reading', () => {
  test('whole, by its beginning, and within a limit', async () => {
    const path = join(await temporaryFolder(), 'a');
    await writeFile(path, 'hello');
    expect(Buffer.from(await readWhole(path, 5)).toString()).toBe('hello');
    expect(Buffer.from(await readHead(path, 2)).toString()).toBe('he');
    expect((await readHead(path, 99)).length).toBe(5);
    expect((await failure(() => readWhole(path, 4))).message).toMatch(/too large.*5 bytes/);
  });

  test('a folder, a device, a link to itself, nothing', async () => {
    const folder = await temporaryFolder();
    await symlink(join(folder, 'loop'), join(folder, 'loop'));
    for (const path of [folder, '/dev/zero', join(folder, 'loop'), join(folder, 'none')]) {
      expect((await failure(() => readWhole(path, 99))).code).toBe('file-unavailable');
    }
  });
});
