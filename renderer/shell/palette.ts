import { LIMITS } from '#api/recipe';
import type { DraftField } from '../state/draft-values.ts';
import { parseNumber } from '../shared/numbers.ts';

/** A setting that the palette's text sets: "temperature 8". */
export interface SettingEntry {
  readonly field: DraftField;
  readonly name: string;
  readonly value: number;
}

const FIELDS = ['steps', 'rdmSteps', 'eta', 'temperature', 'guidance', 'seed', 'count'] as const;

/**
 * Settings that a text such as "temp 8" can mean: the name begins with, or holds, the words before
 * a number that the field allows. `name` gives a field's words in the person's language.
 */
export function settingEntries(
  text: string,
  name: (field: (typeof FIELDS)[number]) => string,
): readonly SettingEntry[] {
  const match = /^(.*?\S)\s+(\S+)$/u.exec(text.trim());
  const value = parseNumber(match?.[2] ?? '');
  if (match === null || value === null) return [];
  const words = (match[1] ?? '').toLocaleLowerCase();
  return FIELDS.filter((field) => name(field).toLocaleLowerCase().includes(words))
    .filter((field) => allowed(field, value))
    .map((field) => ({ field, name: name(field), value }));
}

function allowed(field: (typeof FIELDS)[number], value: number): boolean {
  const { min, max } = LIMITS[field];
  const whole = field === 'eta' || field === 'temperature' || field === 'guidance';
  return value >= min && value <= max && (whole || Number.isInteger(value));
}
