import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '#bundle/manifest';
import { BundleError, openWeights, readManifest, weightsFile } from '#bundle/reader';
import { bundleFiles, bundleHash, canonicalJson, finishManifest } from '#bundle/writer';
import type { WrittenFile } from '#bundle/writer';
import { readTensor } from '#checkpoint/convert';
import { CheckpointError } from '#checkpoint/errors';
import { memorySource } from '#checkpoint/source';
import { planImport } from '#importer/plan';
import * as sample from '../importer/samples.ts';

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

const plan = () =>
  planImport(
    [
      sample.checkpoint('mage.pth', { model: sample.mageFile() }),
      sample.checkpoint('rdm.pth', { model: sample.rdmFile(sample.CLASS_RDM) }),
    ],
    { recipe: sample.HEADS },
  );

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of chunks) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function write() {
  const content = await plan();
  const bytes = new Map<string, Uint8Array>();
  const files: WrittenFile[] = [];
  for (const { path, size, chunks } of bundleFiles(content)) {
    const data = await collect(chunks());
    expect(data.length).toBe(size);
    bytes.set(path, data);
    files.push({ path, size, sha256: sha256(data) });
  }
  const sources = new Map([
    ['mage.pth', 10],
    ['rdm.pth', 20],
    ['spare.pth', 30],
  ]);
  return { content, bytes, files, manifest: finishManifest(content, { files, sources, sha256 }) };
}

describe('writing', () => {
  test('one file a network, weights in the order of the table, every byte kept', async () => {
    const { content, bytes } = await write();
    expect([...bytes.keys()]).toEqual(
      ['encoder', 'rdm', 'mage', 'vqgan'].map((k) => `${k}.safetensors`),
    );
    for (const { kind, weights } of content.networks) {
      const data = bytes.get(weightsFile(kind)) ?? new Uint8Array();
      const stored = await openWeights(memorySource(weightsFile(kind), data));
      expect([...stored.keys()]).toEqual([...weights.keys()]);
      for (const [name, tensor] of weights) {
        const found = stored.get(name);
        expect(found).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
        if (found) expect(await readTensor(found)).toEqual(await readTensor(tensor));
      }
    }
  });

  test('a manifest that reads back as it was written', async () => {
    const { manifest } = await write();
    expect(readManifest(JSON.stringify(manifest))).toEqual(manifest);
    expect(manifest.sources.map(({ name, size }) => [name, size])).toEqual([
      ['mage.pth', 10],
      ['rdm.pth', 20],
    ]);
  });

  test('what was taken from a file is told by its digest, not by its name', async () => {
    const { content, files } = await write();
    const digests = (changed: readonly WrittenFile[]) => {
      const sources = new Map(content.networks.map(({ source }) => [source, 1]));
      const made = finishManifest(content, { files: changed, sources, sha256 });
      return Object.fromEntries(made.sources.map(({ name, digest }) => [name, digest]));
    };
    const before = digests(files);
    const after = digests(
      files.map((file) =>
        file.path.startsWith('rdm') ? { ...file, sha256: 'f'.repeat(64) } : file,
      ),
    );
    expect(after['rdm.pth']).not.toBe(before['rdm.pth']);
    expect(after['mage.pth']).toBe(before['mage.pth']);
  });

  test('a network whose file was not written is a bug, and said to be', async () => {
    const { content, files } = await write();
    const written = { files: files.slice(1), sources: new Map([['mage.pth', 1]]), sha256 };
    expect(() => finishManifest(content, written)).toThrow('encoder.safetensors was not written');
  });
});

describe('the hash of a model', () => {
  test('follows weights and configuration, not titles or settings', async () => {
    const { content, files, manifest } = await write();
    const again = (change: Partial<typeof content>, changed = files) =>
      finishManifest({ ...content, ...change }, { files: changed, sources: new Map(), sha256 })
        .hash;
    expect(again({ id: 'other', title: { en: 'Other' }, classes: [], licences: [] })).toBe(
      manifest.hash,
    );
    expect(again({ networks: [...content.networks].reverse() })).toBe(manifest.hash);
    expect(again({ networks: content.networks.slice(1) })).not.toBe(manifest.hash);
    for (const path of files.map((file) => file.path)) {
      const other = files.map((file) =>
        file.path === path ? { ...file, sha256: '0'.repeat(64) } : file,
      );
      expect(again({}, other)).not.toBe(manifest.hash);
    }
    const heads = { ...manifest.networks, mage: { ...sample.MAGE, heads: 2 } };
    expect(bundleHash(heads, { files, sha256 })).not.toBe(manifest.hash);
    expect(bundleHash(manifest.networks, { files, sha256 })).toBe(manifest.hash);
  });

  test('canonical JSON does not depend on the order of fields', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('reading', () => {
  const read = (text: string): BundleError => {
    try {
      readManifest(text);
    } catch (error) {
      if (error instanceof BundleError) return error;
      throw error;
    }
    throw new Error('accepted');
  };
  /** A good manifest with one thing done to it. */
  const spoilt = async (change: (manifest: Manifest) => unknown): Promise<BundleError> => {
    const { manifest } = await write();
    const changed = change(structuredClone(manifest));
    return read(JSON.stringify(changed));
  };

  test.each(['', 'null ', '{', 'PK\u0003\u0004', '[1,', '\u0000'])('%j is no manifest', (text) => {
    const { code, message } = read(text);
    expect(['not-json', 'invalid']).toContain(code);
    expect(message).toContain('Import it again');
  });

  test('a newer version says so, whatever else it holds', () => {
    const error = read('{"version": 2, "novelty": true}');
    expect([error.code, error.field]).toEqual(['newer-version', 'version']);
    expect(error.message).toContain('newer version');
  });

  test.each<[string, (manifest: Manifest) => unknown]>([
    ['version', ({ version: _, ...rest }) => rest],
    ['hash', (m) => ({ ...m, hash: 'abc' })],
    ['id', (m) => ({ ...m, id: '../evil' })],
    ['surprise', (m) => ({ ...m, surprise: 1 })],
    [
      'networks.mage.heads',
      (m) => ({ ...m, networks: { ...m.networks, mage: { ...m.networks.mage, heads: 0 } } }),
    ],
    [
      'networks.mage.width',
      (m) => ({ ...m, networks: { ...m.networks, mage: { ...m.networks.mage, width: 1e400 } } }),
    ],
    ['recommended.steps', (m) => ({ ...m, recommended: { ...m.recommended, steps: 257 } })],
    ['files.0.path', (m) => ({ ...m, files: [{ ...m.files[0], path: '../../etc/passwd' }] })],
    ['files.0.path', (m) => ({ ...m, files: [{ ...m.files[0], path: 'manifest.json' }] })],
    [
      'files.1.path',
      (m) => ({ ...m, files: [m.files[0], { ...m.files[1], path: 'ENCODER.safetensors' }] }),
    ],
    ['files.0.sha256', (m) => ({ ...m, files: [{ ...m.files[0], sha256: 'A'.repeat(64) }] })],
    ['networks.encoder', (m) => ({ ...m, files: m.files.slice(1) })],
    ['classes.0.en', (m) => ({ ...m, classes: [{ ja: 'x' }] })],
  ])('a wrong %s is named', async (field, change) => {
    const error = await spoilt(change);
    expect([error.code, error.field]).toEqual(['invalid', field]);
    expect(error.message).toContain('damaged');
  });

  test('whatever stands in place of a field, the answer is a manifest or a BundleError', async () => {
    const { manifest } = await write();
    const fields = fc.constantFrom(...Object.keys(manifest));
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => {
        const text = JSON.stringify({ ...manifest, [field]: value });
        try {
          readManifest(text);
        } catch (error) {
          expect(error).toBeInstanceOf(BundleError);
        }
      }),
    );
  });

  test('weights that are no safetensors file', async () => {
    const text = new TextEncoder().encode('this is not a weight file at all');
    await expect(openWeights(memorySource('mage.safetensors', text))).rejects.toThrow(
      CheckpointError,
    );
  });
});
