import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import type { ErrorCode } from '#api/errors';
import { reasonText } from '#api/reasons';
import { CHUNK_BYTES } from '#checkpoint/limits';
import { writeSafetensors } from '#checkpoint/safetensors';
import { streamRange } from '#checkpoint/source';
import type { StateDict } from '#checkpoint/types';
import { fileError, fileSource, fill, writeFolderAtomically } from '#worker/files';
import {
  importBundle,
  inspectCheckpoint,
  loadManifest,
  previewImport,
  verifyBundle,
} from '#worker/importing';
import { hashStream, writeHashed } from '#worker/hashing';
import type { ImportRequest } from '#worker/protocol';
import * as sample from '../models/importer/samples.ts';

let folder: string;
let library: string;
let mage: string;
let rdm: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rcg-import-'));
  library = join(folder, 'library', 'models');
  mage = await save('mage.safetensors', sample.mageFile());
  rdm = await save('rdm.safetensors', sample.rdmFile());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function save(name: string, tensors: StateDict): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, writeSafetensors(tensors).chunks());
  return path;
}

const request = (change: Partial<ImportRequest> = {}): ImportRequest => ({
  files: [mage, rdm],
  recipe: { ...sample.HEADS, name: 'tiny' },
  attachments: [],
  id: null,
  library,
  ...change,
});

async function failure(work: Promise<unknown>): Promise<StudioError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StudioError)) throw new Error(`expected a StudioError, got ${error}`);
  return error;
}

const contents = async (path: string) => (await readdir(path).catch(() => [])).sort();

describe('an import', () => {
  test('writes exactly what its manifest says', async () => {
    await writeFile(join(folder, 'card'), '---\nlicense: mit\n---\n');
    const attachments = [{ name: 'CARD.md', path: join(folder, 'card') }];
    const { id, hash } = await importBundle(request({ attachments }));
    expect(id).toBe('tiny');
    const bundle = join(library, id);
    const manifest = await loadManifest(bundle);
    expect(manifest).toMatchObject({ id, hash, networks: { mage: sample.MAGE, rdm: sample.RDM } });
    expect(manifest.licences.map((licence) => licence.id)).toEqual(['MIT']);
    expect(await contents(bundle)).toEqual(
      ['manifest.json', ...manifest.files.map(({ path }) => path)].sort(),
    );
    for (const file of manifest.files) {
      const bytes = await readFile(join(bundle, file.path));
      expect(bytes.length).toBe(file.size);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256);
    }
    expect(await verifyBundle(bundle)).toEqual([]);
    expect(await contents(library)).toEqual(['tiny']);
  });

  test('reports every byte and ends at the total of the preview', async () => {
    const preview = await previewImport(request());
    expect(await contents(library)).toEqual([]);
    const events: { done: number; total: number; file: string }[] = [];
    await importBundle(request(), { onProgress: (event) => events.push(event) });
    expect(events.every(({ total }) => total === preview.bytes)).toBe(true);
    expect(events.at(-1)?.done).toBe(preview.bytes);
    expect(events.map(({ done }) => done)).toEqual(
      events.map(({ done }) => done).sort((a, b) => a - b),
    );
    expect([...new Set(events.map(({ file }) => file))]).toHaveLength(4);
  });

  test('of the same model again changes nothing', async () => {
    const first = await importBundle(request());
    const path = join(library, first.id, 'manifest.json');
    await utimes(path, 1, 1);
    expect(await importBundle(request())).toEqual(first);
    expect(await importBundle(request({ id: 'tiny' }))).toEqual(first);
    expect((await stat(path)).mtimeMs).toBe(1000);
    expect(await contents(library)).toEqual(['tiny']);
  });

  test('of another model under the same name takes the next one', async () => {
    const first = await importBundle(request());
    const second = await importBundle(request({ files: [mage] }));
    expect(second.id).toBe('tiny-2');
    expect(second.hash).not.toBe(first.hash);
    expect(await importBundle(request({ files: [mage] }))).toEqual(second);
    const error = await failure(importBundle(request({ files: [mage], id: 'tiny' })));
    expect([error.code, error.field]).toEqual(['invalid-request', 'id']);
    expect(await contents(library)).toEqual(['tiny', 'tiny-2']);
    expect((await loadManifest(join(library, 'tiny-2'))).id).toBe('tiny-2');
  });

  test('leaves a folder alone that it cannot read', async () => {
    await mkdir(join(library, 'tiny'), { recursive: true });
    await writeFile(join(library, 'tiny', 'diary.txt'), 'mine');
    expect((await importBundle(request())).id).toBe('tiny-2');
    expect(await contents(join(library, 'tiny'))).toEqual(['diary.txt']);
  });

  test('tells files of the same name apart by their folder', async () => {
    const files = [
      await save('a/checkpoint-last.pth', sample.mageFile()),
      await save('b/checkpoint-last.pth', sample.rdmFile()),
    ];
    const { parts } = await previewImport(request({ files: [...files, ...files] }));
    expect(new Set(parts.map(({ from }) => from))).toEqual(
      new Set(['a/checkpoint-last.pth', 'b/checkpoint-last.pth']),
    );
    const { id } = await importBundle(request({ files }));
    const { sources } = await loadManifest(join(library, id));
    expect(sources.map(({ name }) => name)).toEqual([
      'a/checkpoint-last.pth',
      'b/checkpoint-last.pth',
    ]);
  });

  test('that is cancelled leaves nothing', async () => {
    const before = new AbortController();
    before.abort();
    expect((await failure(importBundle(request(), before))).code).toBe('cancelled');
    for (const file of ['encoder.safetensors', 'vqgan.safetensors']) {
      const during = new AbortController();
      const onProgress = (event: { file: string }) => {
        if (event.file === file) during.abort();
      };
      const error = await failure(importBundle(request(), { signal: during.signal, onProgress }));
      expect(error.code).toBe('cancelled');
      expect(await contents(library)).toEqual([]);
    }
  });
});

describe('an import is refused, and leaves nothing, for', () => {
  const files: Readonly<Record<string, string | Uint8Array>> = {
    empty: '',
    text: 'hello',
    html: '<!doctype html><html></html>',
    noise: Uint8Array.from({ length: 5000 }, (_, i) => (i * 197 + 13) & 255),
  };
  test.each(Object.keys(files))('a file of %s', async (name) => {
    const path = join(folder, name);
    await writeFile(path, files[name] ?? '');
    const error = await failure(importBundle(request({ files: [path] })));
    expect(error.code).toBe('checkpoint-unreadable');
    expect(error.message).toContain(name);
    expect(await contents(library)).toEqual([]);
  });

  test('a file that was cut short', async () => {
    await truncate(mage, (await stat(mage)).size - 1);
    expect((await failure(importBundle(request()))).code).toBe('checkpoint-unreadable');
  });

  test('weights that are not finite', async () => {
    const bad = sample.floats('decoder_norm.bias', [1, 2, 3, Number.NaN, 5, 6, 7, 8]);
    const section = sample.changed(sample.mageFile(), {
      without: /^decoder_norm\.bias$/,
      plus: [bad],
    });
    const path = await save('diverged.safetensors', section);
    const error = await failure(importBundle(request({ files: [path] })));
    expect(error.code).toBe('checkpoint-unreadable');
    expect(error.reason).toEqual({
      code: 'import-not-finite',
      values: { file: 'diverged.safetensors', key: 'decoder_norm.bias' },
    });
    expect(await contents(library)).toEqual([]);
  });

  test('a Stable Diffusion checkpoint', async () => {
    const tensors = [sample.tensor('model.diffusion_model.input_blocks.0.0.weight', [4])];
    const path = await save('sd.safetensors', sample.dict(tensors));
    const error = await failure(previewImport(request({ files: [path] })));
    expect(error.message).toMatch(/^sd\.safetensors: .*Stable Diffusion/);
  });

  test.each<[string, () => Partial<ImportRequest>, ErrorCode, string | undefined]>([
    ['no file', () => ({ files: [] }), 'invalid-request', 'files'],
    [
      'too many files',
      () => ({ files: Array.from({ length: 17 }, (_, i) => `${i}`) }),
      'invalid-request',
      'files',
    ],
    [
      'a missing file',
      () => ({ files: [join(folder, 'none.pth')] }),
      'file-unavailable',
      undefined,
    ],
    ['a folder', () => ({ files: [folder] }), 'file-unavailable', undefined],
    ['an RDM alone', () => ({ files: [rdm] }), 'checkpoint-unreadable', undefined],
    [
      'a wrong recipe',
      () => ({ recipe: { mage: { heads: 'three' } } }),
      'invalid-request',
      'recipe',
    ],
    [
      'a recipe of another model',
      () => ({ recipe: { ...sample.HEADS, image_size: 64 } }),
      'invalid-request',
      'recipe',
    ],
    ['an id that climbs out', () => ({ id: '../elsewhere' }), 'invalid-request', 'id'],
    [
      'an attachment that climbs out',
      () => ({ attachments: [{ name: '../x', path: mage }] }),
      'invalid-request',
      'attachments',
    ],
    [
      'an attachment in place of weights',
      () => ({ attachments: [{ name: 'RDM.safetensors', path: mage }] }),
      'invalid-request',
      'attachments',
    ],
    [
      'an attachment in place of the manifest',
      () => ({ attachments: [{ name: 'manifest.json', path: mage }] }),
      'invalid-request',
      'attachments',
    ],
    [
      'two attachments of one name',
      () => ({ attachments: ['a', 'A'].map((name) => ({ name, path: mage })) }),
      'invalid-request',
      'attachments',
    ],
    [
      'an attachment that is missing',
      () => ({ attachments: [{ name: 'x', path: join(folder, 'x') }] }),
      'file-unavailable',
      undefined,
    ],
    ['a library that is a file', () => ({ library: mage }), 'file-unavailable', undefined],
  ])('%s', async (_name, change, code, field) => {
    const error = await failure(importBundle(request(change())));
    expect([error.code, error.field]).toEqual([code, field]);
    expect(error.message).toMatch(/[.]$/);
    expect(error.reason && reasonText(error.reason)).toMatch(/^[^{}]+[.]$/);
    expect(await contents(library)).toEqual([]);
  });
});

describe('verifying', () => {
  test('names every file that is changed, cut short or gone', async () => {
    const { id } = await importBundle(request());
    const bundle = join(library, id);
    const path = (name: string) => join(bundle, `${name}.safetensors`);
    const bytes = await readFile(path('mage'));
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
    await writeFile(path('mage'), bytes);
    await truncate(path('rdm'), 100);
    await rm(path('vqgan'));
    const problems = await verifyBundle(bundle);
    expect(problems).toEqual([
      {
        code: 'size-changed',
        values: { file: 'rdm.safetensors', found: 100, expected: expect.any(Number) },
      },
      { code: 'content-changed', values: { file: 'mage.safetensors' } },
      { code: 'file-missing', values: { file: 'vqgan.safetensors' } },
    ]);
    expect(problems.map(reasonText)).toEqual([
      expect.stringMatching(/^rdm\.safetensors has 100 bytes instead of \d+\.$/),
      expect.stringMatching(/^mage\.safetensors was changed/),
      expect.stringMatching(/^vqgan\.safetensors does not exist/),
    ]);
  });

  test('notices a changed size in the manifest', async () => {
    const { id } = await importBundle(request());
    const path = join(library, id, 'manifest.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"decoderHeads": 2', '"decoderHeads": 4'));
    expect(await verifyBundle(join(library, id))).toEqual([
      { code: 'manifest-changed', values: { file: 'manifest.json' } },
    ]);
    await writeFile(path, text.slice(0, 100));
    expect(await verifyBundle(join(library, id))).toMatchObject([
      { code: 'manifest-not-json', values: { file: 'manifest.json' } },
    ]);
  });

  test('needs a bundle, and can be cancelled', async () => {
    expect((await failure(verifyBundle(folder))).code).toBe('file-unavailable');
    const { id } = await importBundle(request());
    const cancelled = AbortSignal.abort();
    expect((await failure(verifyBundle(join(library, id), { signal: cancelled }))).code).toBe(
      'cancelled',
    );
  });
});

describe('inspecting', () => {
  test('shows tensors and networks', async () => {
    const found = await inspectCheckpoint(rdm);
    expect(found.format).toBe('safetensors');
    expect(found.parts.map(({ kind }) => kind)).toEqual(['rdm', 'encoder']);
    expect(found.tensors).toContainEqual({ name: 'betas', dtype: 'float32', shape: [1000] });
  });

  test('shows what a stranger holds, and why it is none of ours', async () => {
    const path = await save('other.safetensors', sample.dict([sample.tensor('wte.weight', [3])]));
    const { parts, tensors } = await inspectCheckpoint(path);
    expect(parts).toEqual([{ kind: 'unusable', about: expect.stringContaining('wte.weight') }]);
    expect(tensors).toHaveLength(1);
  });

  test('says which file cannot be read', async () => {
    expect((await failure(inspectCheckpoint(join(folder, 'none')))).message).toContain(
      'none does not exist',
    );
  });
});

describe('files', () => {
  test('are read by ranges, at their end and beyond', async () => {
    const path = join(folder, 'numbers');
    await writeFile(
      path,
      Uint8Array.from({ length: 100 }, (_, i) => i),
    );
    const source = await fileSource(path);
    expect([source.name, source.size]).toEqual(['numbers', 100]);
    expect([...(await source.read(97, 3))]).toEqual([97, 98, 99]);
    expect(await source.read(5, 0)).toHaveLength(0);
    expect((await failure(source.read(98, 3))).code).toBe('file-unavailable');
    await source.close();
  });

  test('of more than 4 GB are read at any place', async () => {
    const path = join(folder, 'sparse');
    await writeFile(path, '');
    await truncate(path, 5 * 2 ** 30);
    const source = await fileSource(path);
    expect(source.size).toBe(5 * 2 ** 30);
    expect([...(await source.read(2 ** 32 + 5, 2))]).toEqual([0, 0]);
    await source.close();
  });

  test('are copied piece by piece, whatever memory is used again meanwhile', async () => {
    const bytes = randomBytes(11 * CHUNK_BYTES + 12_345);
    await writeFile(join(folder, 'from'), bytes);
    const source = await fileSource(join(folder, 'from'));
    // Ranges of all lengths, as tensors are: one after another, from end to end.
    const stops = [
      0,
      1,
      70_000,
      CHUNK_BYTES - 1,
      3 * CHUNK_BYTES,
      8 * CHUNK_BYTES + 7,
      bytes.length,
    ];
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (const [i, offset] of stops.slice(0, -1).entries()) {
        yield* streamRange(source, { offset, length: (stops[i + 1] ?? 0) - offset }, 'a part');
      }
    }
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const whole = { size: bytes.length, sha256 };
    expect(await writeHashed(join(folder, 'to'), chunks(), {})).toEqual(whole);
    expect((await readFile(join(folder, 'to'))).equals(bytes)).toBe(true);
    expect(await hashStream(chunks(), {})).toEqual(whole);
    // A piece that is held by somebody is not written over.
    const held = await source.read(0, CHUNK_BYTES);
    expect(await hashStream(chunks(), {})).toEqual(whole);
    expect(bytes.subarray(0, CHUNK_BYTES).equals(held)).toBe(true);
    await source.close();
  });

  test('are read in pieces that the system takes', async () => {
    const path = join(folder, 'numbers');
    const numbers = Uint8Array.from({ length: 100 }, (_, i) => i);
    await writeFile(path, numbers);
    const handle = await open(path);
    const asked: number[] = [];
    const watched = {
      read: (bytes: Uint8Array, to: number, length: number, from: number) => {
        asked.push(length);
        return handle.read(bytes, to, length, from);
      },
    } as Pick<FileHandle, 'read'>;
    const bytes = new Uint8Array(90);
    expect(await fill(watched, { bytes, offset: 5 }, 40)).toBe(true);
    expect(bytes).toEqual(numbers.slice(5, 95));
    expect(asked).toEqual([40, 40, 10]);
    expect(await fill(watched, { bytes, offset: 50 }, 40)).toBe(false);
    await handle.close();
  });

  test.skipIf(process.platform === 'win32')(
    'that are none are refused, not waited for',
    async () => {
      const pipe = join(folder, 'pipe.pth');
      execFileSync('mkfifo', [pipe]);
      for (const path of [pipe, '/dev/null', folder]) {
        expect((await failure(fileSource(path))).code).toBe('file-unavailable');
      }
      expect((await failure(importBundle(request({ files: [pipe] })))).reason?.code).toBe(
        'file-not-plain',
      );
    },
  );

  test('system errors become errors for people', () => {
    const of = (code: string) => fileError(Object.assign(new Error(code), { code }), 'a.pth');
    expect(of('ENOSPC')).toMatchObject({ code: 'disk-full' });
    expect(of('EACCES')).toMatchObject({ code: 'file-unavailable' });
    expect(of('EISDIR')).toMatchObject({
      code: 'file-unavailable',
      message: 'a.pth is a folder. Choose a file.',
    });
    expect(of('EFBIG')).toMatchObject({
      code: 'file-unavailable',
      message: expect.stringMatching(/^a\.pth is larger than/) as string,
    });
    expect(of('EWHATEVER')).not.toBeInstanceOf(StudioError);
    const own = new StudioError('cancelled', 'x');
    expect(fileError(own, 'a')).toBe(own);
  });
});

describe('a folder is written', () => {
  const fill = async (path: string) => writeFile(join(path, 'file'), 'x');

  test('complete, under its name', async () => {
    const value = await writeFolderAtomically(library, async (unfinished) => {
      await fill(unfinished);
      expect((await contents(library)).every((name) => name.startsWith('.importing-'))).toBe(true);
      return { folder: 'done', value: 7 };
    });
    expect(value).toBe(7);
    expect(await contents(join(library, 'done'))).toEqual(['file']);
    expect(await contents(library)).toEqual(['done']);
  });

  test('not at all, when asked, on an error, or over another', async () => {
    await writeFolderAtomically(library, async (path) => {
      await fill(path);
      return { folder: null, value: 0 };
    });
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const failing = writeFolderAtomically(library, async (path) => {
      await fill(path);
      throw full;
    });
    expect((await failure(failing)).code).toBe('disk-full');
    await mkdir(join(library, 'there'));
    await writeFile(join(library, 'there', 'old'), '');
    const over = writeFolderAtomically(library, async (path) => {
      await fill(path);
      return { folder: 'there', value: 0 };
    });
    expect((await failure(over)).code).toBe('file-unavailable');
    expect(await contents(library)).toEqual(['there']);
    expect(await contents(join(library, 'there'))).toEqual(['old']);
  });

  test('after the leftovers of dead processes were cleared, but not of living ones', async () => {
    // No process has this id: Linux ends at 2^22.
    const dead = `.importing-${2 ** 22 + 7}-x`;
    const own = `.importing-${process.pid}-from-a-namesake`;
    const living = `.importing-${process.ppid}-x`;
    for (const name of [dead, own, living, '.importing-but-no-number']) {
      await mkdir(join(library, name), { recursive: true });
    }
    await writeFolderAtomically(library, async () => ({ folder: null, value: 0 }));
    expect(await contents(library)).toEqual(['.importing-but-no-number', living].sort());
  });

  test('beside others at the same time', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(
      names.map((name) =>
        writeFolderAtomically(library, async (path) => {
          await fill(path);
          return { folder: name, value: name };
        }),
      ),
    );
    expect(await contents(library)).toEqual(names);
  });
});
