import { randomBytes } from 'node:crypto';

/** Long enough for a browser to start on a slow machine. */
const GOOD_MS = 2 * 60_000;

/**
 * Codes that let a browser in once. A program that is told an address shows it to everybody on the
 * computer, in the list of processes: what is seen there must be worth nothing.
 */
export interface EntryCodes {
  readonly issue: () => string;
  /** Whether it is one of ours, not used before and not too old. */
  readonly use: (code: string) => boolean;
}

/** Codes for one start of the server; a code is used up by the first who comes with it. */
export function createEntryCodes(): EntryCodes {
  const open = new Map<string, number>();
  return {
    issue() {
      const code = randomBytes(24).toString('base64url');
      open.set(code, Date.now() + GOOD_MS);
      return code;
    },
    use(code) {
      const until = open.get(code);
      open.delete(code);
      return until !== undefined && Date.now() < until;
    },
  };
}
