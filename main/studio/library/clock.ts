import { z } from 'zod';
import type { Workshop } from '../workshop.ts';

const DAY = 24 * 60 * 60 * 1000;
/** A step of the clock that is no reason for doubt: a weekend, say. */
const STEP = 3 * DAY;
/** A doubt that is older says nothing of the clock as it is now. */
const LONG = 30 * DAY;
const KEY = 'upkeep.clock';

const schema = z.object({
  /** The last time that is believed. */
  at: z.number(),
  /** When the clock was first seen to be further on than that, or null. */
  doubted: z.number().nullable(),
});
type Seen = z.infer<typeof schema>;

/**
 * The time for what deletes by age; null while the clock is in doubt. One that is suddenly days ahead
 * of when the library was last used may be wrong, and would empty the bin: it has to go on for a day.
 */
export function believedTime({ history, now }: Pick<Workshop, 'history' | 'now'>): number | null {
  const { settings } = history();
  const before = schema.safeParse(settings.get(KEY));
  const seen = look(before.success ? before.data : null, now());
  settings.set(KEY, seen);
  return seen.doubted === null ? seen.at : null;
}

function look(seen: Seen | null, now: number): Seen {
  // A clock that was put back is no danger: less is old enough then.
  if (seen !== null && now <= seen.at + STEP) return { at: now, doubted: null };
  const since = now - (seen?.doubted ?? Infinity);
  // It steps once more, or this is the first look.
  if (seen === null || since < 0 || since > LONG) return { at: seen?.at ?? 0, doubted: now };
  return since < DAY ? seen : { at: now, doubted: null };
}
