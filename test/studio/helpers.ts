import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { StudioError } from '#api/errors';
import type { Manifest } from '#bundle/manifest';
import type { Engine } from '#studio/studio';
import type { MethodName, Methods, Picture } from '#worker/protocol';

/** Sizes of the made-up model that the tests share. */
const SIZES = { representation: 4, tokens: 16, codes: 8, image: 8 } as const;

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What a call rejects with, as code and field, or a failed test. */
export async function failure(
  work: () => unknown,
): Promise<Pick<StudioError, 'code' | 'field' | 'message' | 'reason'>> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    const { code, field, message, reason } = error;
    return { code, field, message, reason };
  }
  throw new Error('It was accepted.');
}

/** The manifest of a made-up class-conditional model with all four networks. */
export function tinyManifest(changes: Partial<Manifest> = {}): Manifest {
  const settings = {
    rdmSteps: 250,
    eta: 1,
    steps: 16,
    guidance: 0.5,
    schedule: 'linear',
    temperature: 1,
  } as const;
  return {
    format: 'rcg-studio-bundle',
    version: 1,
    id: 'tiny',
    title: { en: 'Tiny', ja: '小' },
    hash: 'a'.repeat(64),
    networks: {
      encoder: {
        kind: 'mocov3',
        sourceSize: 8,
        imageSize: 8,
        patchSize: 4,
        width: 8,
        depth: 1,
        heads: 1,
        mlpWidth: 8,
        head: 'mocov3',
        headWidth: 8,
        representation: SIZES.representation,
      },
      rdm: {
        representation: SIZES.representation,
        width: 8,
        bottleneck: 8,
        timeEmbedding: 8,
        depth: 1,
        context: 8,
        classes: 4,
      },
      mage: {
        representation: SIZES.representation,
        codes: SIZES.codes,
        tokens: SIZES.tokens,
        vocabulary: 20,
        width: 8,
        depth: 1,
        heads: 1,
        mlpWidth: 8,
        decoderWidth: 8,
        decoderDepth: 1,
        decoderHeads: 1,
        decoderMlpWidth: 8,
      },
      vqgan: { channels: 8, multipliers: [1, 1], blocks: 1, latent: 8, codes: SIZES.codes },
    },
    unconditionalClass: 3,
    classes: [
      { en: 'tench, Tinca tinca', ja: 'テンチ' },
      { en: 'Food & drink', ja: '食べ物と飲み物' },
      { en: '3' },
      { en: 'Anything', ja: 'すべて' },
    ],
    recommended: settings,
    preview: { ...settings, steps: 8 },
    licences: [],
    sources: [],
    files: ['encoder', 'rdm', 'mage', 'vqgan'].map((kind) => ({
      path: `${kind}.safetensors`,
      size: 8,
      sha256: 'f'.repeat(64),
    })),
    ...changes,
  };
}

/** Writes a bundle that is no more than its manifest, and returns its folder. */
export async function writeBundle(library: string, manifest: Manifest): Promise<string> {
  const folder = join(library, manifest.id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

/** The picture that the fake engine makes of a seed: all its numbers follow from it. */
export function fakePicture(index: number, seed: number, label: number | null = null): Picture {
  const side = SIZES.image;
  return {
    index,
    seed,
    label,
    representation: Float32Array.from({ length: SIZES.representation }, (_, i) => seed + i / 8),
    tokens: Int32Array.from({ length: SIZES.tokens }, (_, i) => (seed + i) % SIZES.codes),
    image: Uint8Array.from({ length: side * side * 3 }, (_, i) => (seed * 7 + i) % 256),
    size: side,
    times: { representation: 1, tokens: 2, pixels: 3 },
  };
}

/** Answers calls; what is not given is answered as an engine with the made-up model would. */
export type Answers = {
  [M in MethodName]?: (
    request: Methods[M]['request'],
    emit: (event: Methods[M]['event']) => void,
    signal: AbortSignal | undefined,
  ) => Promise<Methods[M]['result']>;
};

export const defaultAnswers = {
  open: () =>
    Promise.resolve({
      target: 'cpu-float32' as const,
      sizes: {
        representation: SIZES.representation,
        tokens: SIZES.tokens,
        codes: SIZES.codes,
        maskId: 19,
        imageSize: SIZES.image,
        classes: 4,
        unconditionalClass: 3,
      },
    }),
  generate: ({ plan }, emit) => {
    const { seeds, source } = plan;
    for (const [index, seed] of seeds.entries()) {
      const picture = fakePicture(index, seed, source.kind === 'sample' ? 3 : null);
      const length = SIZES.representation;
      emit({ kind: 'stage', stage: 'representation', done: 1, total: 1 });
      emit({
        kind: 'picture',
        picture:
          source.kind === 'sample'
            ? picture
            : {
                ...picture,
                representation: source.values.slice(index * length, (index + 1) * length),
              },
      });
    }
    return Promise.resolve({ pictures: seeds.length });
  },
  encode: ({ images }) =>
    Promise.resolve({
      representations: images.map((image) => Float32Array.from([image.width, image.height, 0, 1])),
    }),
  decode: ({ tokens }) =>
    Promise.resolve({
      images: tokens.map((grid) => ({
        width: SIZES.image,
        height: SIZES.image,
        data: new Uint8Array(SIZES.image ** 2 * 3).fill(grid[0] ?? 0),
      })),
    }),
} satisfies Answers;

/** An engine in this process that keeps a list of what it was asked. */
export function fakeEngine(answers: Answers = {}): Engine & { readonly asked: MethodName[] } {
  const asked: MethodName[] = [];
  const all: Answers = { ...defaultAnswers, ...answers };
  return {
    asked,
    call: async (method, request, options = {}) => {
      asked.push(method);
      const answer = all[method];
      if (answer === undefined) throw new Error(`The fake engine knows no ${method}.`);
      return answer(request, (event) => options.onEvent?.(event), options.signal);
    },
  };
}
