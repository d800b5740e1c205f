import { isDeepStrictEqual } from 'node:util';
import { StudioError } from '#api/errors';
import { DEFAULT_SETTINGS, MOST_PRESETS, settingsSchema, type Settings } from '#api/settings';
import type { History } from '#history/history';

const KEY = 'settings';

/** The person's settings, kept in the library's database. */
export interface SettingsStore {
  get(): Settings;
  change(change: Partial<Settings>): Settings;
  /**
   * Takes over what another record said of these fields, where this one still is as a studio begins;
   * presets and shortcuts join, and ours stay. What means nothing here is left out.
   */
  fill(found: unknown, fields?: readonly (keyof Settings)[]): void;
}

/**
 * The settings of a library; without one they last as long as the studio. What is kept is checked
 * field by field: one that another version wrote, and that means nothing here, is its default.
 */
export function openSettings(history: Pick<History, 'settings'> | null): SettingsStore {
  let current = readSettings(history?.settings.get(KEY));
  const change = (wanted: Partial<Settings>): Settings => {
    const next = settingsSchema.safeParse({ ...current, ...withoutUndefined(wanted) });
    if (!next.success) {
      const field = next.error.issues[0]?.path.join('.') ?? '';
      throw new StudioError('invalid-request', `The setting ${field} cannot be that.`, { field });
    }
    history?.settings.set(KEY, next.data);
    current = next.data;
    return current;
  };
  return {
    get: () => current,
    change,
    fill(found, fields = settingsSchema.keyof().options) {
      const filled = filledWith(current, readSettings(found));
      change(Object.fromEntries(fields.map((name) => [name, filled[name]])));
    },
  };
}

/** The settings that differ from those a studio begins with. */
export function ownSettings(settings: Settings): Partial<Settings> {
  const names = settingsSchema.keyof().options;
  const own = names.filter((name) => !isDefault(name, settings[name]));
  return Object.fromEntries(own.map((name) => [name, settings[name]]));
}

function filledWith(ours: Settings, found: Settings): Settings {
  const own = ownSettings(ours);
  const taken = new Set(ours.presets.map(({ name }) => name));
  return {
    ...found,
    ...own,
    shortcuts: { ...found.shortcuts, ...ours.shortcuts },
    presets: [...ours.presets, ...found.presets.filter(({ name }) => !taken.has(name))].slice(
      0,
      MOST_PRESETS,
    ),
  };
}

function isDefault(name: keyof Settings, value: unknown): boolean {
  return isDeepStrictEqual(value, DEFAULT_SETTINGS[name]);
}

function readSettings(kept: unknown): Settings {
  const fields = Object.entries(settingsSchema.shape).flatMap(([name, schema]) => {
    const value: unknown =
      typeof kept === 'object' && kept !== null && name in kept
        ? (kept as Readonly<Record<string, unknown>>)[name]
        : undefined;
    const parsed = schema.safeParse(value);
    return parsed.success ? [[name, parsed.data]] : [];
  });
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(fields) };
}

function withoutUndefined(change: Partial<Settings>): Partial<Settings> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
