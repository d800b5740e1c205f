import { StudioError } from '#api/errors';
import { reasonText } from '#api/reasons';
import type { DecodeSteps, ReplayResult, Verdict } from '#api/images';
import type { StoredImage } from '#history/types';
import { LIBRARY_TEXT_VERSION, type LibraryText } from '#pictures/library-text';
import { encodePng, encodePreview, readPicture } from '#pictures/pictures';
import { countDifferences, recipeTokens, replayPlan } from '#pictures/recipe';
import type { ModelRef, Picture, StepReport } from '#worker/protocol';
import { putAside } from '../library/aside.ts';
import { isForeign } from '../library/foreign.ts';
import { modelRef } from '../studio.ts';
import type { Workshop } from '../workshop.ts';
import { pictureTexts } from './picture-store.ts';
import { doubtOf, tokensAfter } from './progress.ts';

/** Pictures whose steps are kept: those that a person goes back and forth between. */
const KEPT = 8;

/** Makes pictures of the library again. */
export interface Replays {
  /** Runs the recipe again, compares the tokens, and keeps the answer where the library may be written. */
  replay(id: number): Promise<ReplayResult>;
  steps(id: number): Promise<DecodeSteps>;
  /** PNG of a step's draws, or null when there is no such step. */
  stepImage(id: number, step: number): Promise<Uint8Array | null>;
  /** The PNG that a picture's tokens give, with the model that made it; nothing is saved. */
  png(image: StoredImage): Promise<Uint8Array>;
  /** Makes the file again from the tokens. */
  rebuild(id: number): Promise<void>;
}

interface Decoding {
  readonly ref: ModelRef;
  readonly mask: number;
  readonly reports: readonly StepReport[];
}

export function createReplays(shop: Workshop): Replays {
  const kept = new Map<number, Promise<Decoding>>();

  const makerOf = async ({ recipe }: StoredImage): Promise<ModelRef> =>
    modelRef(shop, await shop.library.findMaker(recipe.model), recipe.target);

  const decode = async (image: StoredImage): Promise<Decoding> => {
    const ref = await makerOf(image);
    const { sizes } = await shop.engine.call('open', ref);
    if (isForeign(image)) return { ref, mask: sizes.maskId, reports: [] };
    return { ref, mask: sizes.maskId, reports: (await runAgain(shop, image, ref)).reports };
  };

  const decodingOf = (id: number): Promise<Decoding> => {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const made = decode(shop.history().images.get(id));
    kept.set(id, made);
    made.catch(() => kept.delete(id));
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return made;
  };

  const png = async (image: StoredImage): Promise<Uint8Array> => {
    const ref = await makerOf(image);
    const request = { model: ref, tokens: [recipeTokens(image.recipe)] };
    const [pixels] = (await shop.engine.call('decode', request)).images;
    if (pixels === undefined) throw new StudioError('internal', 'The engine made no picture.');
    return encodePng(pixels, pictureTexts(image.recipe, textOf(shop, image)));
  };

  return {
    png,
    async replay(id) {
      const image = shop.history().images.get(id);
      const ref = await makerOf(image);
      const { target } = await shop.engine.call('open', ref);
      const before = recipeTokens(image.recipe);
      const after = isForeign(image)
        ? await tokenizeAgain(shop, image, ref)
        : (await runAgain(shop, image, ref)).picture.tokens;
      const differing = countDifferences(before, after);
      const verdict = { differing, target, checkedAt: shop.now() };
      if (!isForeign(image)) keepVerdict(shop, id, verdict);
      return { ...verdict, tokens: before.length, recordedTarget: image.recipe.target };
    },
    async steps(id) {
      const { mask, reports } = await decodingOf(id);
      return {
        mask,
        steps: reports.map((report) => ({
          step: report.step,
          guidance: report.guidance,
          tokens: tokensAfter(report),
          ...doubtOf(report),
          preview: `/steps/${id}/${report.step}`,
        })),
      };
    },
    async stepImage(id, step) {
      const { ref, reports } = await decodingOf(id);
      const report = reports.find((one) => one.step === step);
      if (report === undefined) return null;
      const request = { model: ref, tokens: [report.sampled] };
      const [image] = (await shop.engine.call('decode', request)).images;
      return image === undefined ? null : encodePreview(image);
    },
    async rebuild(id) {
      const image = shop.history().images.get(id);
      shop.checkWritable();
      const found = await shop.files.check(image.path);
      if (isForeign(image) && (found === 'whole' || found === 'unread')) throw original(image);
      const made = await png(image);
      await shop.files.checkSpace();
      // Some of it may be readable by other means.
      if (found === 'damaged') await putAside(shop, image.path);
      // One that was given up, and cut short in that, is not to be deleted any more.
      shop.history().bin.filesDeleted([image.path]);
      const saved = await shop.files.write(image.path, made);
      shop.history().images.setFile(id, { state: 'present', ...saved });
      shop.events.publish({ kind: 'images', ids: [id] });
    },
  };
}

/** Its tokens only come near it: what they give must not take its place. */
function original({ path }: StoredImage): StudioError {
  const reason = { code: 'rebuild-original', values: { file: path } } as const;
  return new StudioError('invalid-request', reasonText(reason), { field: 'id', reason });
}

/**
 * Keeps what a replay showed. Whoever asked gets the answer all the same where it cannot be kept: in a
 * library that is only looked at, on a full disk, of a picture that was deleted for good meanwhile. One
 * from elsewhere has no answer to keep: it was not made from its tokens, and its file may change.
 */
function keepVerdict(shop: Workshop, id: number, verdict: Verdict): void {
  try {
    shop.checkWritable();
    if (!shop.history().images.setReplay(id, verdict)) return;
  } catch (error) {
    if (error instanceof StudioError) return;
    throw error;
  }
  shop.events.publish({ kind: 'images', ids: [id] });
}

/** Runs a picture's recipe from its seed. */
async function runAgain(
  shop: Workshop,
  image: StoredImage,
  model: ModelRef,
): Promise<{ readonly picture: Picture; readonly reports: readonly StepReport[] }> {
  const reports: StepReport[] = [];
  let picture: Picture | undefined;
  await shop.engine.call(
    'generate',
    { model, plan: replayPlan(image.recipe), chunk: 1, steps: true },
    {
      signal: shop.closing,
      onEvent: (event) => {
        if (event.kind === 'step') reports.push(event.report);
        if (event.kind === 'picture') picture = event.picture;
      },
    },
  );
  if (picture === undefined) throw new StudioError('internal', 'The engine made no picture.');
  return { picture, reports };
}

/** A foreign picture was not decoded from anything: its tokens are those of its pixels. */
async function tokenizeAgain(
  shop: Workshop,
  image: StoredImage,
  model: ModelRef,
): Promise<Int32Array> {
  const pixels = await readPicture(shop.files.absolute(image.path));
  const { tokens } = await shop.engine.call('tokenize', { model, images: [pixels] });
  return tokens[0] ?? new Int32Array(0);
}

/** What a picture's file says of its place in the library, made again from its row. */
function textOf({ history }: Pick<Workshop, 'history'>, image: StoredImage): LibraryText {
  const parents = image.parents.flatMap(({ id, operation }) => {
    const [row] = history().images.rows([id]);
    return row === undefined ? [] : [{ uid: history().images.get(id).uid, operation }];
  });
  const { uid, createdAt, operation, times } = image;
  return { version: LIBRARY_TEXT_VERSION, uid, createdAt, operation, parents, times, job: null };
}
