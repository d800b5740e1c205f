import { z } from 'zod';

// Where a window was: its fields, place and selection, so that it can go on there after it was
// closed or killed. The studio keeps the texts and does not read them.

/** Bounds of what is kept: `characters` are those of all names and texts together. */
export const SESSION_LIMITS = { entries: 64, name: 64, text: 32_768, characters: 131_072 } as const;

/** Entries to keep; null takes one away, and what is not named stays. */
export const sessionChange = z
  .record(
    z.string().min(1).max(SESSION_LIMITS.name),
    z.string().max(SESSION_LIMITS.text).nullable(),
  )
  .refine((change) => Object.keys(change).length <= SESSION_LIMITS.entries);
export type SessionChange = z.infer<typeof sessionChange>;

/** What a window finds when it opens. */
export interface Session {
  readonly entries: Readonly<Record<string, string>>;
  /** The seed after the highest that a picture or a waiting job has. */
  readonly nextSeed: number;
}
