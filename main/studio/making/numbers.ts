import { StudioError } from '#api/errors';

/** A number as a person or a program gives it: text from a command line, or a number. */
export type Given = number | string;

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** Decimal notation only: Number() would also take '', ' ', '0x10' and 'Infinity'. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A whole number within bounds, or a StudioError `invalid-request` naming the field and its range. */
export function wholeNumber(field: string, given: Given, bounds: Bounds): number {
  const value = toNumber(given);
  if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) {
    throw outOfRange(field, given, `a whole number from ${bounds.min} to ${bounds.max}`);
  }
  // −0 would be written to recipes as 0 and so not come back as itself.
  return value === 0 ? 0 : value;
}

/** A number within bounds, or a StudioError `invalid-request` naming the field and its range. */
export function realNumber(field: string, given: Given, bounds: Bounds): number {
  const value = toNumber(given);
  if (!(value >= bounds.min && value <= bounds.max)) {
    throw outOfRange(field, given, `a number from ${bounds.min} to ${bounds.max}`);
  }
  return value === 0 ? 0 : value;
}

/** One of some words, or a StudioError `invalid-request` that lists them. */
export function oneOf<const W extends string>(
  field: string,
  given: string,
  words: readonly W[],
): W {
  const found = words.find((word) => word === given);
  if (found === undefined) throw outOfRange(field, given, `one of ${words.join(', ')}`);
  return found;
}

function toNumber(given: Given): number {
  if (typeof given === 'number') return given;
  return DECIMAL.test(given.trim()) ? Number(given) : NaN;
}

function outOfRange(field: string, given: Given, range: string): StudioError {
  const shown = String(given).slice(0, 60);
  return new StudioError('invalid-request', `${field} must be ${range}, not ${shown || 'empty'}.`, {
    field,
  });
}
