import { encodeError, type StudioError } from '#api/errors';
import type { Io } from './io.ts';

/** How often a progress bar is drawn at most, in milliseconds. */
const DRAW_EVERY = 100;
const BAR_WIDTH = 24;
const CLEAR_LINE = '\r\x1b[2K';

/** How results, notes and progress reach a person or a program. */
export interface Printer {
  /** A result: one JSON object a line with `--json`, otherwise its words. */
  result(json: object, words: string): void;
  /** Words for people only; nothing with `--json`. */
  note(words: string): void;
  /** What has to be known before the result: a JSON line of its own, or words beside the results. */
  offer(json: object, words: string): void;
  /** A question on the terminal, after the words of an offer wherever those were not shown there. */
  ask(words: string, question: string): void;
  error(error: StudioError): void;
  /** The progress bar's state, or undefined where no bar is shown. */
  readonly progress: ((part: number, label: string) => void) | undefined;
  clear(): void;
}

export interface PrinterOptions {
  readonly json: boolean;
  readonly verbose: boolean;
}

/** A printer on a pair of streams. The bar is drawn on a terminal's stderr only. */
export function createPrinter(io: Io, { json, verbose }: PrinterOptions): Printer {
  const { stdout, stderr } = io;
  let shown = false;
  let drawn = -Infinity;
  let started: number | undefined;

  const clear = () => {
    if (shown) stderr.write(CLEAR_LINE);
    shown = false;
  };
  const draw = (part: number, label: string) => {
    const now = io.now();
    started ??= now;
    if (now - drawn < DRAW_EVERY) return;
    drawn = now;
    shown = true;
    const full = Math.round(part * BAR_WIDTH);
    const bar = '█'.repeat(full).padEnd(BAR_WIDTH, '░');
    const left = part > 0.05 ? ((now - started) * (1 - part)) / part : undefined;
    const time = left === undefined ? '' : `  ${formatSeconds(left)} left`;
    const line = `${bar} ${Math.floor(part * 100)} %  ${visible(label)}${time}`;
    stderr.write(CLEAR_LINE + line.slice(0, stderr.columns - 1));
  };

  return {
    result: (object, words) => {
      clear();
      stdout.write(`${json ? JSON.stringify(object) : visible(words)}\n`);
    },
    note: (words) => {
      clear();
      if (!json) stderr.write(`${visible(words)}\n`);
    },
    offer: (object, words) => {
      clear();
      if (json) stdout.write(`${JSON.stringify(object)}\n`);
      else stderr.write(`${visible(words)}\n`);
    },
    ask: (words, question) => {
      clear();
      stderr.write(`${json ? visible(words) : ''}\n${question}`);
    },
    error: (error) => {
      clear();
      const { stack, ...wire } = encodeError(error);
      if (json) {
        stderr.write(`${JSON.stringify({ error: verbose ? { ...wire, stack } : wire })}\n`);
      } else {
        stderr.write(`${visible(error.message)}\n`);
        if (verbose && stack !== undefined) stderr.write(`${visible(stack)}\n`);
      }
    },
    progress: stderr.isTTY && !json ? draw : undefined,
    clear,
  };
}

/**
 * Words without control characters: names and texts come from files, and a terminal would obey what
 * a hostile one says.
 */
function visible(words: string): string {
  return words.replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
}

/** Milliseconds as seconds, for people. */
export function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** Bytes for people, in powers of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(1, bytes)) / 3), units.length - 1);
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}
