import { mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { WireError } from '#api/errors';
import type { Plan } from '#engine/types';
import { exportBundle } from '#runtime/export';
import { openBundle, type Model, type ModelShelf } from '#worker/model';
import type { FromWorker, MethodName, Methods, ModelRef, Picture } from '#worker/protocol';
import { createService, type Service } from '#worker/service';
import { temporaryFolder, lastingFolder } from './folders.ts';
import { writeBundle } from './bundle.ts';
import { TINY } from './synthetic.ts';

let library = '';
let ref: ModelRef;

beforeAll(async () => {
  library = await lastingFolder();
  const bundle = path.join(library, 'tiny');
  await writeBundle(bundle);
  ref = { bundle, target: 'cpu-float32', cache: path.join(library, 'cache') };
});

const PLAN: Plan = {
  seeds: [5, 6, 7, 8],
  source: { kind: 'sample', steps: 10, eta: 1, labels: null },
  decoding: { steps: 4, temperature: 1, guidance: 1, schedule: 'linear' },
};

/** A service in this process, and calls that end with what it answers. */
function serve(shelf?: ModelShelf): {
  readonly service: Service;
  readonly messages: readonly FromWorker[];
  readonly call: <M extends MethodName>(
    method: M,
    request: Methods[M]['request'],
  ) => { readonly id: number; readonly end: Promise<Methods[M]['result']> };
} {
  const messages: FromWorker[] = [];
  const waiting = new Map<number, (message: FromWorker) => void>();
  const service = createService({
    send: (message) => {
      messages.push(message);
      if (message.kind === 'result' || message.kind === 'error') waiting.get(message.id)?.(message);
    },
    restMs: 10,
    ...(shelf ? { shelf } : {}),
  });
  let id = 0;
  return {
    service,
    messages,
    call(method, request) {
      id += 1;
      const mine = id;
      const answer = new Promise<FromWorker>((resolve) => waiting.set(mine, resolve));
      service.receive({ kind: 'request', id: mine, method, request });
      const end = answer.then((message) => {
        if (message.kind === 'result') return message.result as Methods[typeof method]['result'];
        throw new Refused(message.kind === 'error' ? message.error : undefined);
      });
      return { id: mine, end };
    },
  };
}

class Refused extends Error {
  readonly wire: WireError | undefined;
  constructor(wire: WireError | undefined) {
    super(wire?.message);
    this.wire = wire;
  }
}

async function refusal(end: Promise<unknown>): Promise<WireError> {
  const error = await end.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (error instanceof Refused && error.wire) return error.wire;
  throw new Error('the call was not refused');
}

function pictures(messages: readonly FromWorker[]): readonly Picture[] {
  return messages.flatMap((message) =>
    message.kind === 'event' && message.method === 'generate' && message.event.kind === 'picture'
      ? [message.event.picture]
      : [],
  );
}

describe('generate', () => {
  test.each(['cpu-int8', 'cpu-float32', 'portable'] as const)(
    'on %s, a picture does not depend on the chunk',
    async (target) => {
      const runs = [];
      for (const chunk of [1, 2, 3, 4]) {
        const { call, messages } = serve();
        const model = { ...ref, target };
        const request = { model, plan: PLAN, chunk, steps: false };
        expect(await call('generate', request).end).toEqual({ pictures: 4 });
        runs.push(pictures(messages).map(({ times: _, ...picture }) => picture));
      }
      const [first, ...others] = runs;
      expect(first?.map(({ seed }) => seed)).toEqual(PLAN.seeds);
      expect(new Set(first?.map(({ tokens }) => tokens.join())).size).toBe(4);
      for (const other of others) expect(other).toEqual(first);
    },
  );

  test('reports stages and steps before the pictures, and steps only when asked', async () => {
    const { call, messages } = serve();
    const plan = { ...PLAN, seeds: [1] };
    await call('generate', { model: ref, plan, chunk: 1, steps: true }).end;
    const kinds = messages.map((message) =>
      message.kind === 'event' && message.method === 'generate' ? message.event.kind : message.kind,
    );
    expect(kinds.filter((kind) => kind !== 'stage')).toEqual([
      'represented',
      ...Array.from({ length: 4 }, () => 'step'),
      'picture',
      'result',
    ]);
    expect(kinds[0]).toBe('stage');
    const quiet = serve();
    await quiet.call('generate', { model: ref, plan, chunk: 1, steps: false }).end;
    expect(JSON.stringify(quiet.messages)).not.toContain('"step"');
  });

  test('every array has a buffer of its own size', async () => {
    const { call, messages } = serve();
    await call('generate', { model: ref, plan: PLAN, chunk: 4, steps: true }).end;
    for (const { tokens, representation, image } of pictures(messages)) {
      for (const array of [tokens, representation, image]) {
        expect(array.buffer.byteLength).toBe(array.byteLength);
      }
    }
  });

  test.each<readonly [string, Partial<Plan>, string]>([
    ['a seed that is NaN', { seeds: [NaN] }, 'seeds'],
    ['no seeds', { seeds: [] }, 'seeds'],
    [
      'an unknown class',
      { source: { kind: 'sample', steps: 5, eta: 1, labels: [3] }, seeds: [1] },
      'labels',
    ],
    [
      'a representation of another size',
      { source: { kind: 'given', values: new Float32Array(3) }, seeds: [1] },
      'representation',
    ],
  ])('%s is refused by field', async (_, change, field) => {
    const { call } = serve();
    const plan = { ...PLAN, ...change };
    const wire = await refusal(call('generate', { model: ref, plan, chunk: 1, steps: false }).end);
    expect(wire.code).toBe('invalid-request');
    expect(wire.field).toBe(field);
  });
});

describe('cancel', () => {
  const long = (): Methods['generate']['request'] => ({
    model: ref,
    plan: { ...PLAN, seeds: Array.from({ length: 50 }, (_, at) => at) },
    chunk: 1,
    steps: true,
  });

  test('stops a request between steps', async () => {
    const { service, call, messages } = serve();
    const { id, end } = call('generate', long());
    const outcome = refusal(end);
    while (pictures(messages).length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    service.receive({ kind: 'cancel', id });
    expect((await outcome).code).toBe('cancelled');
    const done = pictures(messages).length;
    expect(done).toBeLessThan(10);
    // The next request is served as if nothing had been.
    expect(await call('generate', { ...long(), plan: PLAN }).end).toEqual({ pictures: 4 });
  });

  test('takes a waiting request out of the queue', async () => {
    const { service, call, messages } = serve();
    const first = call('generate', { ...long(), plan: PLAN });
    const second = call('generate', long());
    const outcome = refusal(second.end);
    service.receive({ kind: 'cancel', id: second.id });
    expect((await outcome).code).toBe('cancelled');
    expect(await first.end).toEqual({ pictures: 4 });
    expect(messages.some((message) => message.kind === 'event' && message.id === second.id)).toBe(
      false,
    );
  });

  test('of a request that is over, or never was, does nothing', async () => {
    const { service, call } = serve();
    const { id, end } = call('open', ref);
    await end;
    service.receive({ kind: 'cancel', id });
    service.receive({ kind: 'cancel', id: 77 });
    expect((await call('open', ref).end).sizes.tokens).toBe(256);
  });
});

describe('pictures and tokens', () => {
  const noise = (width: number, height: number) => ({
    width,
    height,
    data: Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7919) % 256),
  });

  test('pictures of any size become representations and tokens, tokens become pictures', async () => {
    const { call } = serve();
    const images = [noise(32, 32), noise(1, 1), noise(90, 33), noise(7, 200)];
    const { representations } = await call('encode', { model: ref, images }).end;
    expect(representations.map((each) => each.length)).toEqual([16, 16, 16, 16]);
    const { tokens } = await call('tokenize', { model: ref, images }).end;
    expect(
      tokens.every((grid) => grid.length === 256 && grid.every((id) => id >= 0 && id < 64)),
    ).toBe(true);
    const decoded = await call('decode', { model: ref, tokens }).end;
    expect(decoded.images.map(({ width, height, data }) => [width, height, data.length])).toEqual(
      Array.from({ length: 4 }, () => [32, 32, 3072]),
    );
  });

  test.each([
    ['too few bytes', { width: 4, height: 4, data: new Uint8Array(3) }],
    ['no width', { width: 0, height: 4, data: new Uint8Array(0) }],
    ['half a pixel', { width: 1.5, height: 2, data: new Uint8Array(9) }],
    ['far too many pixels', { width: 30_000, height: 30_000, data: new Uint8Array(3) }],
  ])('a picture with %s is refused', async (_, image) => {
    const { call } = serve();
    for (const method of ['encode', 'tokenize'] as const) {
      const wire = await refusal(call(method, { model: ref, images: [noise(8, 8), image] }).end);
      expect(wire).toMatchObject({ code: 'invalid-request', field: 'images' });
    }
  });

  test.each([
    ['too few', new Int32Array(3)],
    ['two pictures at once', new Int32Array(512)],
    ['none', new Int32Array(0)],
    ['an unknown code', new Int32Array(256).fill(64)],
    ['a negative one', new Int32Array(256).fill(-1)],
  ])('a token grid with %s is refused', async (_, grid) => {
    const wire = await refusal(serve().call('decode', { model: ref, tokens: [grid] }).end);
    expect(wire).toMatchObject({ code: 'invalid-request', field: 'tokens' });
  });
});

describe('a network that gives what is no number', () => {
  test.each(['cpu-int8', 'cpu-float32', 'portable'] as const)(
    'is named as damaged on %s, and no picture is made',
    async (target) => {
      const bundle = path.join(library, `spoilt-${target}`);
      await writeBundle(bundle, TINY, { kind: 'vqgan', name: 'decoder.conv_out.bias' });
      const request = { model: { ...ref, bundle, target }, tokens: [new Int32Array(256)] };
      const wire = await refusal(serve().call('decode', request).end);
      expect(wire.code).toBe('internal');
      expect(wire.message).toMatch(/"pixels" holds numbers that are not finite.*import it again/);
    },
  );

  test('is not the fault of the picture that was to be encoded', async () => {
    const bundle = path.join(library, 'spoilt-encoder');
    await writeBundle(bundle, TINY, { kind: 'encoder', name: 'norm.bias' });
    const images = [{ width: 8, height: 8, data: new Uint8Array(192).fill(9) }];
    const wire = await refusal(serve().call('encode', { model: { ...ref, bundle }, images }).end);
    expect(wire.code).toBe('internal');
    expect(wire.message).toContain('"representation" holds numbers that are not finite');
  });
});

describe('bundles', () => {
  test('open says sizes and the target that "cpu" means', async () => {
    const { target, sizes } = await serve().call('open', { ...ref, target: 'cpu' }).end;
    expect(['cpu-int8', 'cpu-float32']).toContain(target);
    expect(sizes).toEqual({
      representation: 16,
      tokens: 256,
      codes: 64,
      maskId: 1064,
      imageSize: 32,
      classes: 3,
      unconditionalClass: null,
    });
  });

  test('a folder without a model is said to have none', async () => {
    const bundle = path.join(library, 'nowhere');
    const wire = await refusal(serve().call('open', { ...ref, bundle }).end);
    expect(wire.code).toBe('model-not-found');
    expect(wire.message).toContain('nowhere');
  });

  test('weights cut short are damage, named by file', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    await writeBundle(bundle);
    await truncate(path.join(bundle, 'mage.safetensors'), 1000);
    const model = { ...ref, bundle, cache: path.join(folder, 'cache') };
    const wire = await refusal(
      serve().call('generate', { model, plan: PLAN, chunk: 1, steps: false }).end,
    );
    expect(wire.code).toBe('bundle-damaged');
    expect(wire.message).toContain('mage.safetensors');
  });

  test('weights whose header is garbage are damage', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    await writeBundle(bundle);
    const file = path.join(bundle, 'rdm.safetensors');
    await writeFile(file, (await readFile(file)).fill(0x7b, 0, 200));
    const model = { ...ref, bundle, cache: path.join(folder, 'cache') };
    const wire = await refusal(
      serve().call('generate', { model, plan: PLAN, chunk: 1, steps: false }).end,
    );
    expect(wire.code).toBe('bundle-damaged');
  });

  test('weights of which one bit has changed are damage, and are not kept as graphs', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    await writeBundle(bundle);
    const file = path.join(bundle, 'mage.safetensors');
    const whole = await readFile(file);
    const flipped = Buffer.from(whole);
    flipped[flipped.length - 3] = (flipped.at(-3) ?? 0) ^ 1;
    await writeFile(file, flipped);
    const model = { ...ref, bundle, cache: path.join(folder, 'cache') };
    const request = { model, plan: PLAN, chunk: 1, steps: false };
    const wire = await refusal(serve().call('generate', request).end);
    expect(wire.code).toBe('bundle-damaged');
    expect(wire.message).toContain('mage.safetensors');
    await writeFile(file, whole);
    const { call, messages } = serve();
    await call('generate', request).end;
    const { call: undamaged, messages: expected } = serve();
    await undamaged('generate', { ...request, model: ref }).end;
    const tokens = (all: typeof messages) => pictures(all).map((picture) => picture.tokens);
    expect(tokens(messages)).toEqual(tokens(expected));
  });

  test('a manifest that describes other weights is damage', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    await writeBundle(bundle);
    const file = path.join(bundle, 'manifest.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('"decoderDepth":1', '"decoderDepth":2'));
    const model = { ...ref, bundle, cache: path.join(folder, 'cache') };
    const wire = await refusal(
      serve().call('generate', { model, plan: PLAN, chunk: 1, steps: false }).end,
    );
    expect(wire.code).toBe('bundle-damaged');
    expect(wire.message).toContain('decoder_blocks.1');
  });

  test('a bundle that is replaced while open is opened anew', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    const { call } = serve();
    const model = { ...ref, bundle, cache: path.join(folder, 'cache') };
    await writeBundle(bundle);
    const before = await call('open', model).end;
    await rm(bundle, { recursive: true });
    expect((await refusal(call('open', model).end)).code).toBe('model-not-found');
    const rdm = { ...TINY.rdm, classes: 5 };
    await writeBundle(bundle, { ...TINY, rdm });
    const after = await call('open', model).end;
    expect([before.sizes.classes, after.sizes.classes]).toEqual([3, 5]);
  });

  test('what a model lacks is named, and the rest works', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    const { mage, vqgan } = TINY;
    await writeBundle(bundle, { mage, vqgan });
    const { call } = serve();
    const model = { ...ref, bundle, cache: path.join(folder, 'cache') };
    const sampled = { model, plan: PLAN, chunk: 1, steps: false };
    expect((await refusal(call('generate', sampled).end)).code).toBe('network-missing');
    expect((await refusal(call('encode', { model, images: [] }).end)).code).toBe('network-missing');
    const source = { kind: 'given', values: new Float32Array(16).fill(0.5) } as const;
    const given = { ...sampled, plan: { ...PLAN, seeds: [1], source } };
    expect(await call('generate', given).end).toEqual({ pictures: 1 });
  });

  test('a model without MAGE cannot be opened', async () => {
    const folder = await temporaryFolder();
    const bundle = path.join(folder, 'tiny');
    await writeBundle(bundle, { rdm: TINY.rdm, vqgan: TINY.vqgan });
    const wire = await refusal(serve().call('open', { ...ref, bundle }).end);
    expect(wire.code).toBe('network-missing');
  });
});

describe('export', () => {
  test('writes portable graphs and says what they take', async () => {
    const folder = path.join(await temporaryFolder(), 'new');
    const { call, messages } = serve();
    const { files } = await call('export', { bundle: ref.bundle, folder }).end;
    expect([...files].sort()).toEqual((await readdir(folder)).sort());
    expect(files).toHaveLength(11);
    const readme = await readFile(path.join(folder, 'README.txt'), 'utf8');
    for (const name of [
      'rdm.onnx',
      'mage.onnx',
      'decoder.onnx',
      'encoder.onnx',
      'tokenizer.onnx',
    ]) {
      expect(readme).toContain(name);
    }
    expect(messages.filter((message) => message.kind === 'event')).toHaveLength(5);
    expect((await readFile(path.join(folder, 'mage.onnx'))).includes('com.microsoft')).toBe(false);
  });

  test('leaves a folder that is not empty alone', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'thesis.txt'), 'mine');
    const wire = await refusal(serve().call('export', { bundle: ref.bundle, folder }).end);
    expect(wire).toMatchObject({ code: 'invalid-request', field: 'folder' });
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });

  test('names the folder that cannot be written', async () => {
    const file = path.join(await temporaryFolder(), 'notes.txt');
    await writeFile(file, 'mine');
    for (const folder of [file, path.join(file, 'new'), '/proc/new']) {
      const wire = await refusal(serve().call('export', { bundle: ref.bundle, folder }).end);
      expect(wire).toMatchObject({ code: 'file-unavailable', field: 'folder' });
      expect(wire.message.startsWith(`${folder} `)).toBe(true);
    }
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  test('what was written goes again when it does not work out', async () => {
    const bundle = path.join(await temporaryFolder(), 'tiny');
    await writeBundle(bundle);
    await rm(path.join(bundle, 'vqgan.safetensors'));
    const empty = await temporaryFolder();
    const target = path.join(empty, 'new');
    expect((await refusal(serve().call('export', { bundle, folder: target }).end)).code).toBe(
      'file-unavailable',
    );
    expect(await readdir(empty)).toEqual([]);
    await mkdir(target);
    await refusal(serve().call('export', { bundle, folder: target }).end);
    expect(await readdir(target)).toEqual([]);
  });
});

test('an export that is cancelled leaves nothing behind', async () => {
  const folder = await temporaryFolder();
  const abort = new AbortController();
  const exporting = exportBundle(await openBundle(ref.bundle), path.join(folder, 'new'), {
    signal: abort.signal,
    onProgress: ({ done }) => {
      if (done === 1) abort.abort();
    },
  });
  await expect(exporting).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readdir(folder)).toEqual([]);
});

describe('the service', () => {
  test.each([
    ['nothing', undefined],
    ['text', 'generate'],
    ['an unknown kind', { kind: 'hello', id: 1 }],
    ['an unknown method', { kind: 'request', id: 1, method: 'format', request: {} }],
    ['a method of every object', { kind: 'request', id: 1, method: 'toString', request: {} }],
    ['a request without an id', { kind: 'request', method: 'doctor', request: {} }],
    ['a request without a request', { kind: 'request', id: 1, method: 'doctor' }],
    ['a cancel without an id', { kind: 'cancel' }],
  ])('%s is ignored', async (_, garbage) => {
    const { service, call, messages } = serve();
    service.receive(garbage);
    await call('open', ref).end;
    expect(messages.map(({ kind }) => kind)).toEqual(['result']);
  });

  test('a request whose insides are wrong is an error, not the end', async () => {
    const { service, messages, call } = serve();
    service.receive({ kind: 'request', id: 900, method: 'generate', request: {} });
    await call('open', ref).end;
    expect(messages[0]).toMatchObject({ kind: 'error', id: 900, error: { code: 'internal' } });
  });

  test('requests are answered one at a time, in order', async () => {
    const { call, messages } = serve();
    const request = { model: ref, plan: PLAN, chunk: 2, steps: true };
    await Promise.all([
      call('generate', request).end,
      call('open', ref).end,
      call('generate', request).end,
    ]);
    const ids = messages.map((message) => ('id' in message ? message.id : 0));
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
  });

  test('memory is given back when nothing is asked for', async () => {
    let rests = 0;
    const shelf: ModelShelf = {
      open: async () => Promise.reject<Model>(new Error('no model here')),
      rest: async () => {
        rests += 1;
        await Promise.resolve();
      },
    };
    const { call } = serve(shelf);
    await refusal(call('open', ref).end);
    expect(rests).toBe(0);
    await expect.poll(() => rests).toBe(1);
  });

  test('the doctor has tried the processor', async () => {
    const report = await serve().call('doctor', {}).end;
    expect(report.providers.find(({ name }) => name === 'cpu')?.works).toBe(true);
    expect(report.runtime).toMatch(/ONNX Runtime \d/);
    expect(report.cores).toBeGreaterThan(0);
  });
});
