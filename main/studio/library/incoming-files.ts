import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeError } from '#api/errors';
import type { Recipe } from '#api/recipe';
import type { InspectedFile, Refusal } from '#api/exchange';
import { readPicture } from '#pictures/pictures';
import { parseRecipe } from '#pictures/recipe';
import type { RgbImage } from '#worker/protocol';
import type { Workshop } from '../workshop.ts';
import { readOurs, rowOf, type OurPicture } from './adopt.ts';
import { encoderOf } from './foreign.ts';

/** A file that a person brought, read. */
export type IncomingFile = { readonly name: string } & (
  | { readonly kind: 'recipe'; readonly recipe: Recipe }
  | { readonly kind: 'ours'; readonly bytes: Uint8Array; readonly ours: OurPicture }
  | { readonly kind: 'foreign'; readonly image: RgbImage }
);

/** Reads a file for what it is; one that is nothing of use is a StudioError. */
export async function readIncoming(file: File, name: string): Promise<IncomingFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (name.endsWith('.json')) {
    return { kind: 'recipe', name, recipe: parseRecipe(new TextDecoder().decode(bytes), name) };
  }
  const ours = readOurs(bytes, name);
  if (ours !== null) return { kind: 'ours', name, bytes, ours };
  return { kind: 'foreign', name, image: await decode(bytes, name) };
}

/** What files would be if they were brought in. Nothing is kept of them. */
export async function inspectFiles(
  shop: Workshop,
  files: readonly File[],
): Promise<readonly InspectedFile[]> {
  shop.history();
  const inspected: InspectedFile[] = [];
  for (const file of files) {
    const name = plainName(file.name);
    const found = await inspectOne(shop, file, name).catch((error: unknown) => ({
      kind: 'refused' as const,
      refusal: refusalOf(error, name),
    }));
    inspected.push({ name, id: null, recipe: null, refusal: null, ...found });
  }
  return inspected;
}

type Inspected = Pick<InspectedFile, 'kind'> & Partial<InspectedFile>;

async function inspectOne(shop: Workshop, file: File, name: string): Promise<Inspected> {
  const incoming = await readIncoming(file, name);
  switch (incoming.kind) {
    case 'recipe':
      await shop.library.findMaker(incoming.recipe.model);
      return { kind: 'recipe', recipe: settingsOf(incoming.recipe) };
    case 'ours':
      return { ...placeOf(shop, incoming.ours), recipe: settingsOf(incoming.ours.recipe) };
    case 'foreign':
      await encoderOf(shop);
      return { kind: 'foreign' };
  }
}

/** What a picture of ours is to this library. */
function placeOf(shop: Workshop, ours: OurPicture): Pick<InspectedFile, 'kind' | 'id'> {
  const row = rowOf(shop, ours);
  if (row === null) return { kind: 'ours', id: null };
  const { id, deletedAt, file } = row;
  if (deletedAt !== null) return { kind: 'binned', id };
  return { kind: file === 'present' ? 'here' : 'lost', id };
}

function settingsOf(recipe: Recipe): NonNullable<InspectedFile['recipe']> {
  const { tokens: _, representation: __, ...settings } = recipe;
  return settings;
}

/** Why a file was refused. What would end every further file the same way is thrown on. */
export function refusalOf(error: unknown, name: string): Refusal {
  const { code, message, reason = null } = encodeError(error);
  if (['disk-full', 'library-unavailable', 'cancelled'].includes(code)) throw error;
  return { name, code, message, reason };
}

/** Any picture as pixels. The decoder reads files, so that it never has two copies in memory. */
async function decode(bytes: Uint8Array, name: string): ReturnType<typeof readPicture> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-import-'));
  try {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return await readPicture(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A file's name without folders, control characters or tricks; for messages and temporary files. */
export function plainName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const plain = last
    .replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, '')
    .replace(/^\.+/, '')
    .slice(-100);
  return plain === '' ? 'picture' : plain;
}
