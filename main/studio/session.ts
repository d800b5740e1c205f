import { z } from 'zod';
import { StudioError } from '#api/errors';
import { LIMITS } from '#api/recipe';
import { SESSION_LIMITS, sessionChange, type Session, type SessionChange } from '#api/session';
import type { Job } from '#api/jobs';
import type { History } from '#history/history';

const KEY = 'session';
const document = z.object({ version: z.literal(1), entries: z.record(z.string(), z.string()) });

/** Where a library's window was. */
export interface SessionStore {
  get(): Session['entries'];
  /** Keeps these entries beside the others. */
  change(change: SessionChange): void;
}

/**
 * The session of a library; where that cannot be written, it lasts as long as the studio. A session
 * that cannot be understood is a convenience lost and nothing else: the next one takes its place.
 */
export function openSession(
  history: Pick<History, 'settings'> | null,
  { writable }: { readonly writable: boolean },
): SessionStore {
  let entries = readSession(history);
  return {
    get: () => entries,
    change(change) {
      const merged = { ...entries, ...sessionChange.parse(change) };
      const next = Object.fromEntries(
        Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== null),
      );
      if (!fits(next)) {
        throw new StudioError('invalid-request', 'The session is too large to keep.');
      }
      if (writable) history?.settings.set(KEY, { version: 1, entries: next });
      entries = next;
    },
  };
}

/** The first seed that neither a picture nor a job of the queue has. */
export function nextSeed(highest: number | null, jobs: readonly Job[]): number {
  const used = jobs.map(({ settings, total }) => settings.seed + total - 1);
  const next = Math.max(highest ?? 0, ...used) + 1;
  // Where seeds run out before a large job could end, they begin again.
  return next + LIMITS.count.max > LIMITS.seed.max ? LIMITS.seed.min : next;
}

function readSession(history: Pick<History, 'settings'> | null): Session['entries'] {
  try {
    const kept = document.safeParse(history?.settings.get(KEY));
    return kept.success && fits(kept.data.entries) ? kept.data.entries : {};
  } catch {
    return {};
  }
}

function fits(entries: Session['entries']): boolean {
  const all = Object.entries(entries);
  const characters = all.reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  return all.length <= SESSION_LIMITS.entries && characters <= SESSION_LIMITS.characters;
}
