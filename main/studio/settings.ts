import { StudioError } from '#api/errors';
import { DEFAULT_SETTINGS, settingsSchema, type Settings } from '#api/settings';
import type { History } from '#history/history';

const KEY = 'settings';

/** The person's settings, kept in the library's database. */
export interface SettingsStore {
  get(): Settings;
  change(change: Partial<Settings>): Settings;
}

/**
 * The settings of a library; without one they last as long as the studio. What is kept is checked
 * field by field: one that another version wrote, and that means nothing here, is its default.
 */
export function openSettings(history: Pick<History, 'settings'> | null): SettingsStore {
  let current = readSettings(history?.settings.get(KEY));
  return {
    get: () => current,
    change(change) {
      const next = settingsSchema.safeParse({ ...current, ...withoutUndefined(change) });
      if (!next.success) {
        const field = next.error.issues[0]?.path.join('.') ?? '';
        throw new StudioError('invalid-request', `The setting ${field} cannot be that.`, { field });
      }
      history?.settings.set(KEY, next.data);
      current = next.data;
      return current;
    },
  };
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
