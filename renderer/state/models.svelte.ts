import type { ModelInfo } from '#api/models';
import type { Events } from './events.svelte.ts';
import type { I18n, Words } from './i18n.svelte.ts';
import type { SettingsState } from './settings.svelte.ts';
import type { StudioClient } from './studio.ts';

/** The installed models, and which of them Generate uses. */
export class Models {
  list = $state.raw<readonly ModelInfo[]>([]);
  #listed = $state(false);
  /** Whether it is known which models there are, and which of them was chosen. */
  readonly loaded = $derived.by(() => this.#listed && this.#settings.loaded);
  readonly current = $derived.by(() => this.#choose());
  readonly #studio: StudioClient;
  readonly #settings: SettingsState;

  constructor(studio: StudioClient, events: Events, settings: SettingsState) {
    this.#studio = studio;
    this.#settings = settings;
    events.onConnected(() => void this.refresh());
    events.on('models', () => void this.refresh());
  }

  async refresh(): Promise<void> {
    try {
      this.list = await this.#studio.models.list();
      this.#listed = true;
    } catch {
      // As in Status: the last list stays until the studio answers again.
    }
  }

  byId(id: string): ModelInfo | null {
    return this.list.find((model) => model.id === id) ?? null;
  }

  /** Whether the model can make pictures: from noise, and from a representation. */
  canGenerate(model: ModelInfo | null): boolean {
    return (
      !this.isBlocked(model) &&
      model?.state !== 'damaged' &&
      this.has(model, 'mage') &&
      this.has(model, 'vqgan')
    );
  }

  /** Whether the model's files were found changed: it is not used until it is verified again. */
  isBlocked(model: ModelInfo | null): boolean {
    return (model?.verified?.problems.length ?? 0) > 0;
  }

  has(model: ModelInfo | null, kind: ModelInfo['parts'][number]['kind']): boolean {
    return model?.parts.some((part) => part.kind === kind && part.present) ?? false;
  }

  /** The name of a label in words; null stands for any. */
  className(model: ModelInfo | null, label: number | null, i18n: I18n): string {
    return this.classWords(model, label, i18n).text;
  }

  /** The same with its language. */
  classWords(model: ModelInfo | null, label: number | null, i18n: I18n): Words {
    const name = label === null ? undefined : model?.classes[label];
    if (name !== undefined) return i18n.words(name);
    return { text: label === null ? i18n.t('class.any') : String(label) };
  }

  #choose(): ModelInfo | null {
    // Before the settings are there, another than the person's model would be chosen for a moment.
    if (!this.loaded) return null;
    return this.byId(this.#settings.value.model) ?? this.list[0] ?? null;
  }
}

/** A model that need not be installed any more: its title as it was kept, in English, or its id. */
export function remembered(i18n: I18n, title: string | null, id: string): Words {
  return title === null ? { text: id } : i18n.words({ en: title });
}
