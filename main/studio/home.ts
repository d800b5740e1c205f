import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Where a person's data is kept. Nothing is made until it is needed. */
export interface Home {
  readonly root: string;
  /** Imported bundles, one folder each. */
  readonly models: string;
  /** Compiled graphs. Deleting it is always safe. */
  readonly cache: string;
}

/** What the choice of folder depends on. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  /** The person's home folder. */
  readonly home: string;
}

/** This process' surroundings. */
export function surroundings(env: Surroundings['env'] = process.env): Surroundings {
  return { env, platform: process.platform, home: homedir() };
}

/**
 * The data folders: `RCG_STUDIO_HOME` moves all of them; otherwise the platform's usual place.
 * XDG_DATA_HOME counts only when absolute, as its specification demands.
 */
export function findHome({ env, platform, home }: Surroundings): Home {
  const chosen = env['RCG_STUDIO_HOME'];
  const root =
    chosen !== undefined && chosen !== '' ? resolve(chosen) : platformFolder(env, platform, home);
  return { root, models: join(root, 'models'), cache: join(root, 'cache') };
}

function platformFolder(env: Surroundings['env'], platform: string, home: string): string {
  switch (platform) {
    case 'darwin':
      return join(home, 'Library', 'Application Support', 'RCG Studio');
    case 'win32':
      return join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'RCG Studio');
    default: {
      const data = env['XDG_DATA_HOME'];
      const base = data !== undefined && isAbsolute(data) ? data : join(home, '.local', 'share');
      return join(base, 'rcg-studio');
    }
  }
}
