import { createHash } from 'node:crypto';
import { StudioError } from '#api/errors';
import { recipeSchema, type Recipe, type RecipeSource, type ResolvedTarget } from '#api/recipe';
import type { Methods, Picture } from '#worker/protocol';
import { RECIPE_KEYWORD, SOFTWARE_KEYWORD, type Text } from './png.ts';

type Plan = Methods['generate']['request']['plan'];

/** Characters of a field's name that a message shows. */
const SHOWN_LENGTH = 60;

/** What a recipe says beyond the picture itself. */
export interface Making {
  readonly software: string;
  readonly model: { readonly id: string; readonly hash: string };
  /** What the engine resolved the request's target to. */
  readonly target: ResolvedTarget;
  readonly source: RecipeSource;
  readonly decoding: Plan['decoding'];
}

/** The recipe of a finished picture. */
export function makeRecipe(picture: Picture, making: Making): Recipe {
  const { software, model, target, source, decoding } = making;
  const tokens = encodeTokens(picture.tokens);
  return {
    version: 1,
    software,
    model: { id: model.id, hash: model.hash },
    target,
    seed: picture.seed,
    source: source.kind === 'sample' ? { ...source, label: picture.label } : source,
    steps: decoding.steps,
    temperature: decoding.temperature,
    guidance: decoding.guidance,
    schedule: decoding.schedule,
    representation: encodeFloats(picture.representation),
    tokens: tokens.toString('base64'),
    tokenHash: createHash('sha256').update(tokens).digest('hex'),
  };
}

/** The texts that go into a picture with this recipe. */
export function recipeTexts(recipe: Recipe): readonly Text[] {
  return [
    { keyword: RECIPE_KEYWORD, text: JSON.stringify(recipe) },
    { keyword: SOFTWARE_KEYWORD, text: recipe.software },
  ];
}

/**
 * A recipe from its text. Anything but a sound recipe of a version that we know is a StudioError
 * `picture-unreadable`; `name` is for messages.
 */
export function parseRecipe(text: string, name: string): Recipe {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unusable(name, 'its recipe is not JSON. Use another copy of the picture', cause);
  }
  const version: unknown =
    typeof json === 'object' && json !== null && 'version' in json ? json.version : undefined;
  if (typeof version === 'number' && version > 1) {
    throw unusable(
      name,
      `its recipe is of version ${version}, made by a newer RCG Studio. Update RCG Studio to use it`,
    );
  }
  const parsed = recipeSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const extra = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
    const field = [...(issue?.path ?? []), ...extra].join('.').slice(0, SHOWN_LENGTH);
    const where = field === '' ? 'chunk holds something else' : `is wrong at "${field}"`;
    throw unusable(name, `its recipe ${where}. Use another copy of the picture`);
  }
  checkArrays(parsed.data, name);
  return parsed.data;
}

function checkArrays(recipe: Recipe, name: string): void {
  const tokens = Buffer.from(recipe.tokens, 'base64');
  const representation = Buffer.from(recipe.representation, 'base64');
  const whole =
    tokens.length > 0 &&
    tokens.length % 2 === 0 &&
    representation.length > 0 &&
    representation.length % 4 === 0 &&
    recipeRepresentation(recipe).every(Number.isFinite);
  if (!whole) {
    throw unusable(name, 'its recipe has a broken array. Use another copy of the picture');
  }
  if (createHash('sha256').update(tokens).digest('hex') !== recipe.tokenHash) {
    throw unusable(name, 'its tokens do not match their hash. Use another copy of the picture');
  }
}

/** i32 [N] */
export function recipeTokens(recipe: Recipe): Int32Array {
  const bytes = Buffer.from(recipe.tokens, 'base64');
  return Int32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(i * 2));
}

/** f32 [D] */
export function recipeRepresentation(recipe: Recipe): Float32Array {
  const bytes = Buffer.from(recipe.representation, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

/** The plan that makes the picture of a recipe again, from its seed where that made everything. */
export function replayPlan(recipe: Recipe): Plan {
  const { source, seed, steps, temperature, guidance, schedule } = recipe;
  return {
    seeds: [seed],
    decoding: { steps, temperature, guidance, schedule },
    source:
      source.kind === 'sample'
        ? {
            kind: 'sample',
            steps: source.rdmSteps,
            eta: source.eta,
            labels: source.label === null ? null : [source.label],
          }
        : { kind: 'given', values: recipeRepresentation(recipe) },
  };
}

/** Positions at which two token grids differ; every one when their lengths do. */
export function countDifferences(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Math.max(a.length, b.length);
  let different = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) different++;
  return different;
}

/** u16 little-endian */
function encodeTokens(tokens: Int32Array): Buffer {
  const bytes = Buffer.alloc(tokens.length * 2);
  tokens.forEach((id, i) => bytes.writeUInt16LE(id, i * 2));
  return bytes;
}

/** f32 little-endian */
function encodeFloats(values: Float32Array): string {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeFloatLE(value, i * 4));
  return bytes.toString('base64');
}

/** A picture without a recipe, where one is needed. */
export function noRecipe(name: string): StudioError {
  return unusable(
    name,
    'it carries no recipe. It was not made by RCG Studio, or another program left the recipe out when saving it',
  );
}

function unusable(name: string, why: string, cause?: unknown): StudioError {
  return new StudioError('picture-unreadable', `${name} cannot be used: ${why}.`, {
    cause,
    reason: { code: 'recipe-unreadable', values: { file: name } },
  });
}
