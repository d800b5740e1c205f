import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reason } from '#api/reasons';
import { makeFolder, readWhole, writeAtomic } from '#pictures/files';

/** Hidden, so that no model can be called so. */
const FILE = '.verified.json';
const MOST_BYTES = 1 << 20;

/** What the last verification of a bundle showed. */
export interface Verdict {
  /** Of the manifest that was verified: another one is another model. */
  readonly hash: string;
  readonly at: number;
  /** A model with problems is blocked. */
  readonly problems: readonly Reason[];
}

/** Verdicts by model id, kept over restarts. */
export interface Verdicts {
  of(id: string, hash: string): Promise<Verdict | null>;
  /** Null forgets, as after an import. */
  keep(id: string, verdict: Verdict | null): Promise<void>;
}

/** The verdicts on the models of a folder, which need not exist. */
export function openVerdicts(folder: string): Verdicts {
  const path = join(folder, FILE);
  /** Of this run: they hold where the folder cannot be written, too. */
  const own = new Map<string, Verdict | null>();

  async function read(): Promise<Readonly<Record<string, Verdict>>> {
    try {
      const json: unknown = JSON.parse(new TextDecoder().decode(await readWhole(path, MOST_BYTES)));
      if (typeof json !== 'object' || json === null) return {};
      return Object.fromEntries(Object.entries(json).filter((entry) => isVerdict(entry[1])));
    } catch {
      // Nothing was verified yet; or the file was damaged, and models must be verified again.
      return {};
    }
  }

  return {
    async of(id, hash) {
      const kept = own.has(id) ? own.get(id) : (await read())[id];
      return kept?.hash === hash ? kept : null;
    },
    async keep(id, verdict) {
      own.set(id, verdict);
      const { [id]: before, ...others } = await read();
      if (verdict === null && before === undefined) return;
      const all = verdict === null ? others : { ...others, [id]: verdict };
      try {
        if (Object.keys(all).length === 0) return await rm(path, { force: true });
        await makeFolder(folder);
        await writeAtomic(path, new TextEncoder().encode(`${JSON.stringify(all, null, 2)}\n`));
      } catch {
        // It holds until the program ends; the next verification finds the same.
      }
    },
  };
}

function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== 'object' || value === null) return false;
  const { hash, at, problems } = value as Partial<Record<keyof Verdict, unknown>>;
  return (
    typeof hash === 'string' &&
    typeof at === 'number' &&
    Array.isArray(problems) &&
    problems.every(isReason)
  );
}

function isReason(value: unknown): value is Reason {
  if (typeof value !== 'object' || value === null) return false;
  const { code, values } = value as Partial<Record<keyof Reason, unknown>>;
  return typeof code === 'string' && typeof values === 'object' && values !== null;
}
