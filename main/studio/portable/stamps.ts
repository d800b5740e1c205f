import { z } from 'zod';
import type { History } from '#history/history';

// Which documents the record of a library wrote or took in. A document of any other stamp is of
// another record: one that was lost, or this one after a backup took its place.

const KEY = 'sidecar';
const schema = z.object({ stamps: z.array(z.string()), at: z.number().nullable() });

/** The documents that a record knows, and when the last of them was written. */
export type Kept = z.infer<typeof schema>;

type Settings = Pick<History, 'settings'>;

export function keptBy({ settings }: Settings): Kept {
  const parsed = schema.safeParse(settings.get(KEY));
  return parsed.success ? parsed.data : { stamps: [], at: null };
}

export function setKept({ settings }: Settings, kept: Kept): void {
  settings.set(KEY, kept);
}

/** Whether a record wrote or took in the document of this stamp. */
export const isKeptBy = (history: Settings, stamp: string): boolean =>
  keptBy(history).stamps.includes(stamp);
