import { DEFAULT_SETTINGS, type Settings } from '#api/settings';
import type { Events } from './events.svelte.ts';
import type { StudioClient } from './studio.ts';
import type { Undo } from './undo.svelte.ts';

/** The studio's settings: every change applies at once and is one undo step. */
export class SettingsState {
  /** Until the studio has answered once, what a new one begins with. */
  value = $state.raw<Settings>(DEFAULT_SETTINGS);
  loaded = $state(false);
  readonly #studio: StudioClient;
  readonly #undo: Undo;

  constructor(studio: StudioClient, events: Events, undo: Undo) {
    this.#studio = studio;
    this.#undo = undo;
    events.onConnected(() => void this.refresh());
    events.on('settings', () => void this.refresh());
  }

  async refresh(): Promise<void> {
    try {
      this.value = await this.#studio.studio.settings();
      this.loaded = true;
    } catch {
      // As in Status: the last values stay until the studio answers again.
    }
  }

  /** Changes some settings and remembers what they were. */
  async change(change: Partial<Settings>): Promise<void> {
    const before = pickSame(this.value, change);
    await this.apply(change);
    this.#undo.push({
      label: 'undo.settings',
      undo: () => this.apply(before),
      redo: () => this.apply(change),
    });
  }

  /** Changes some settings as part of a larger step, which remembers what they were. */
  async apply(change: Partial<Settings>): Promise<void> {
    const before = this.value;
    // At once on the screen; the studio has the last word.
    this.value = { ...before, ...change };
    try {
      this.value = await this.#studio.studio.configure(change);
    } catch (error) {
      this.value = before;
      throw error;
    }
  }
}

function pickSame(settings: Settings, change: Partial<Settings>): Partial<Settings> {
  return Object.fromEntries(
    Object.entries(settings).filter(([name]) => Object.hasOwn(change, name)),
  );
}
