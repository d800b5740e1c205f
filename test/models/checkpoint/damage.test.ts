import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CheckpointError } from '#checkpoint/errors';
import { safetensorsHeader } from '#checkpoint/safetensors';
import { namespace, torchLegacy, torchZip, type TorchValue } from '../../helpers/torch-file.ts';
import { attempt, contents, openBytes } from './opening.ts';

const data = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
const root: TorchValue = {
  model: new Map<TorchValue, TorchValue>([
    ['fc.weight', { dtype: 'float32', shape: [6, 10], data }],
    ['fc.bias', { dtype: 'float16', shape: [4], data: Uint16Array.of(1, 2, 3, 4) }],
    ['turned', { dtype: 'float32', shape: [10, 6], strides: [1, 10], data, storage: 's' }],
    ['part', { dtype: 'float32', shape: [7], offset: 5, data, storage: 's' }],
    ['steps', { dtype: 'int64', shape: [], data: BigInt64Array.of(5n) }],
  ]),
  epoch: 3,
  args: namespace({ lr: 0.1 }),
};
const info = { name: 'weight', dtype: 'float32', shape: [6, 10] } as const;
const steps = { name: 'steps', dtype: 'int64', shape: [] } as const;
const head = safetensorsHeader([info, steps], { format: 'pt' });

const files = {
  'a zip file': torchZip(root),
  'a zip file with 64-bit records': torchZip(root, { wide: true }),
  'a legacy file': torchLegacy(root),
  'a safetensors file': new Uint8Array(
    Buffer.concat([head.header, Buffer.from(data.buffer), new Uint8Array(8)]),
  ),
};

/** Everything in a file, or the CheckpointError it gives; any other error fails the test. */
async function readAll(bytes: Uint8Array): Promise<unknown> {
  return attempt(async () => {
    const checkpoint = await openBytes(bytes);
    return [checkpoint.metadata, await contents(checkpoint)];
  });
}

describe.each(Object.entries(files))('%s', (name, file) => {
  test('can be read', async () => {
    expect(await readAll(file)).not.toBeInstanceOf(CheckpointError);
  });

  test('is refused when it is cut short, wherever that is', async () => {
    for (let length = 0; length < file.length; length++) {
      const result = await readAll(file.slice(0, length));
      if (!(result instanceof CheckpointError)) throw new Error(`accepted at ${length}`);
    }
  });

  test('gives its content or a CheckpointError when a bit flips, wherever that is', async () => {
    const whole = await readAll(file);
    const hasChecksums = name.startsWith('a zip');
    for (let bit = 0; bit < file.length * 8; bit += 1 + (bit % 3)) {
      const flipped = file.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const result = await readAll(flipped);
      if (hasChecksums && !(result instanceof CheckpointError)) expect(result).toEqual(whole);
    }
  });

  test('gives no other error when bytes are overwritten, moved or added', async () => {
    const place = fc.nat(file.length);
    const edit = fc.record({
      at: place,
      remove: fc.oneof(fc.nat(8), place),
      insert: fc.uint8Array({ maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        const bytes = [...file];
        for (const { at, remove, insert } of edits) bytes.splice(at, remove, ...insert);
        await readAll(Uint8Array.from(bytes));
      }),
      { numRuns: 400 },
    );
  });
});

test('bytes of any kind behind a magic number give a CheckpointError', async () => {
  const magic = fc.constantFrom(
    'PK\x03\x04',
    '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.',
    '',
    '\x80\x02',
    '<',
  );
  await fc.assert(
    fc.asyncProperty(magic, fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      expect(await readAll(bytes)).toBeInstanceOf(CheckpointError);
    }),
    { numRuns: 500 },
  );
});
