import { z } from 'zod';
import { StudioError } from '#api/errors';
import type { Operation } from '#api/images';

/** Keyword of the chunk that says what a picture is to its library, beside the recipe. */
export const LIBRARY_KEYWORD = 'rcg-studio-library';

/** Version of the chunk that is written. */
export const LIBRARY_TEXT_VERSION = 1;

export const operation = z.enum(['generate', 'variation', 'interpolation', 'import']);
/** Names a picture for good. */
const uidPattern = /^[a-z0-9]{8,40}$/;
export const uid = z.string().regex(uidPattern);
export const milliseconds = z.number().min(0).max(1e12);

const schema = z.object({
  version: z.literal(LIBRARY_TEXT_VERSION),
  uid,
  createdAt: z.int().min(0).max(3e12),
  operation,
  parents: z.array(z.object({ uid, operation })).max(64),
  times: z.object({
    representation: milliseconds,
    tokens: milliseconds,
    pixels: milliseconds,
  }),
  /** The job that made it; good only in the database that it came from. */
  job: z
    .object({ id: z.int().positive(), index: z.int().nonnegative(), createdAt: z.int() })
    .nullable(),
});

/** What a picture is to its library: enough to rebuild the row of a lost database. */
export type LibraryText = z.infer<typeof schema>;

/** The content of the chunk. */
export function formatLibraryText(text: LibraryText): string {
  return JSON.stringify(text);
}

/** What such a chunk says; a StudioError `picture-unreadable` for anything that is not ours. */
export function parseLibraryText(text: string, name: string): LibraryText {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw unusable(name, cause);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw unusable(name, parsed.error);
  return parsed.data;
}

function unusable(name: string, cause: unknown): StudioError {
  return new StudioError(
    'picture-unreadable',
    `${name} cannot be used: what it says of its place in a library is broken. Use another copy of the picture.`,
    { cause },
  );
}

/** What a recipe's source tells of a picture that does not say itself how it was made. */
export function operationOf(
  kind: 'sample' | 'picture' | 'representation' | 'interpolation',
): Operation {
  switch (kind) {
    case 'sample':
      return 'generate';
    case 'picture':
    case 'representation':
      return 'variation';
    case 'interpolation':
      return 'interpolation';
  }
}
