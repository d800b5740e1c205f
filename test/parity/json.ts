import { readFile } from 'node:fs/promises';

/** A string, or one of the three words that Python writes for numbers which JSON does not have. */
const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

/**
 * A parsed JSON file as Python's json module writes it: infinities are kept, NaN becomes null.
 * @throws Error naming the file when it cannot be read or is no JSON.
 */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  try {
    return parseJson(text);
  } catch (cause) {
    throw new Error(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** JSON, with Python's bare `Infinity`, `-Infinity` and `NaN`. */
export function parseJson(text: string): unknown {
  return JSON.parse(
    text.replace(STRING_OR_WORD, (found) => {
      if (found.startsWith('"')) return found;
      // A number beyond float64 reads as an infinity.
      return found === 'NaN' ? 'null' : found.replace('Infinity', '1e999');
    }),
  ) as unknown;
}
