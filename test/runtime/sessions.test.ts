import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Feeds, Network } from '#engine/types';
import { openSessions, type Sessions } from '#runtime/sessions';
import { FeedError } from '#runtime/tensor';
import { WIDTH, countingCache, temporaryFolder } from './tiny.ts';

async function tiny(change: Parameters<typeof countingCache>[1] = {}): Promise<{
  readonly decoder: Network;
  readonly sessions: Sessions;
  readonly compiled: readonly string[];
  readonly root: string;
}> {
  const root = await temporaryFolder();
  const { cache, compiled } = countingCache(root, change);
  const sessions = openSessions({ graphs: ['decoder'], cache, threads: 1 });
  const { decoder } = sessions.networks;
  if (!decoder) throw new Error('no decoder');
  return { decoder, sessions, compiled, root };
}

function tokens(batch: number, fill = 0): Feeds {
  return { tokens: { shape: [batch, WIDTH], data: new Int32Array(batch * WIDTH).fill(fill) } };
}

describe('a network', () => {
  test('runs, from one picture to several', async () => {
    const { decoder } = await tiny();
    for (const batch of [1, 2, 3]) {
      const { image } = await decoder(tokens(batch, 1000), ['image']);
      expect(image?.shape).toEqual([batch, WIDTH]);
      expect([...(image?.data.subarray(-2) ?? [])]).toEqual([1000 + WIDTH - 2, 1000 + WIDTH - 1]);
    }
  });

  test('is compiled once, when first called', async () => {
    const { decoder, compiled } = await tiny();
    expect(compiled).toEqual([]);
    await Promise.all([decoder(tokens(1), ['image']), decoder(tokens(1), ['image'])]);
    expect(compiled).toEqual(['decoder']);
  });

  test('exists only for the graphs that were named', async () => {
    const { sessions } = await tiny();
    expect(Object.keys(sessions.networks)).toEqual(['decoder']);
  });

  test('takes views into larger arrays', async () => {
    const { decoder } = await tiny();
    const data = new Int32Array(3 * WIDTH)
      .fill(5)
      .subarray(WIDTH, 2 * WIDTH)
      .fill(9);
    const { image } = await decoder({ tokens: { shape: [1, WIDTH], data } }, ['image']);
    expect(image?.data[1]).toBe(10);
  });
});

describe('what does not fit', () => {
  test.each<readonly [string, Feeds, string]>([
    [
      'another element type',
      { tokens: { shape: [1, WIDTH], data: new Float32Array(WIDTH) } },
      'is float32, expected int32',
    ],
    ['another width', { tokens: { shape: [1, 3], data: new Int32Array(3) } }, '[1, 3]'],
    ['a missing axis', { tokens: { shape: [1], data: new Int32Array(1) } }, 'expected [B, 512]'],
    [
      'too few elements',
      { tokens: { shape: [1, WIDTH], data: new Int32Array(3) } },
      'has 3 elements',
    ],
    [
      'too many elements',
      { tokens: { shape: [1, WIDTH], data: new Int32Array(WIDTH + 1) } },
      'has 513 elements',
    ],
  ])('%s is named', async (_, feeds, words) => {
    const { decoder } = await tiny();
    const failure = await decoder(feeds, ['image']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(FeedError);
    expect(failure).toMatchObject({ graph: 'decoder', input: 'tokens' });
    expect(String(failure)).toContain(words);
  });

  test('an unknown input, a missing one, and an unknown output are named', async () => {
    const { decoder } = await tiny();
    const data = new Int32Array(WIDTH);
    const extra = { ...tokens(1), labels: { shape: [1], data } };
    await expect(decoder(extra, ['image'])).rejects.toThrow('labels');
    await expect(decoder({}, ['image'])).rejects.toThrow('no pictures');
    await expect(decoder(tokens(1), ['pixels'])).rejects.toThrow('pixels is not an output');
  });

  test('a call that failed does not spoil the next', async () => {
    const { decoder } = await tiny();
    await expect(decoder(tokens(1), ['nothing'])).rejects.toThrow(FeedError);
    await expect(decoder(tokens(1), ['image'])).resolves.toHaveProperty('image');
  });
});

describe('a damaged cache', () => {
  test('a model file of the right size that is no model is made again', async () => {
    const { decoder, sessions, compiled, root } = await tiny();
    await decoder(tokens(1), ['image']);
    await sessions.release();
    const model = (await countingCache(root).cache.find('decoder')).path;
    const { byteLength } = await readFile(model);
    await writeFile(model, new Uint8Array(byteLength).fill(0xff));
    await decoder(tokens(1), ['image']);
    expect(compiled).toHaveLength(2);
  });

  test('weights cut short are made again', async () => {
    const { decoder, sessions, compiled, root } = await tiny();
    await decoder(tokens(1), ['image']);
    await sessions.release();
    const model = (await countingCache(root).cache.find('decoder')).path;
    await truncate(path.join(path.dirname(model), 'decoder.bin'), 10);
    await decoder(tokens(1), ['image']);
    expect(compiled).toHaveLength(2);
  });

  test('a graph that never opens is an error that names it, and is tried again', async () => {
    let attempts = 0;
    const { decoder } = await tiny({
      compile: async (_, __, write) => {
        attempts += 1;
        await write({
          proto: new Uint8Array([1, 2, 3]),
          weights: [],
          weightsSize: 0,
        });
      },
    });
    await expect(decoder(tokens(1), ['image'])).rejects.toThrow(
      'graph decoder could not be opened',
    );
    await expect(decoder(tokens(1), ['image'])).rejects.toThrow(
      'graph decoder could not be opened',
    );
    // One try to begin with; then the entry that does not open, and one rebuilding.
    expect(attempts).toBe(2);
  });
});

describe('release', () => {
  test('a released network opens again, without compiling', async () => {
    const { decoder, sessions, compiled } = await tiny();
    await sessions.prepare(['decoder']);
    await sessions.release();
    await sessions.release();
    await decoder(tokens(1), ['image']);
    expect(compiled).toHaveLength(1);
  });

  test('a call while others are released gets a session of its own', async () => {
    const { decoder, sessions } = await tiny();
    await decoder(tokens(1), ['image']);
    const released = sessions.release();
    await expect(decoder(tokens(1), ['image'])).resolves.toHaveProperty('image');
    await released;
    await expect(decoder(tokens(1), ['image'])).resolves.toHaveProperty('image');
  });

  test('an open network outlives its cache', async () => {
    const { decoder, root } = await tiny();
    await decoder(tokens(1), ['image']);
    await rm(root, { recursive: true });
    await expect(decoder(tokens(1), ['image'])).resolves.toHaveProperty('image');
  });
});
