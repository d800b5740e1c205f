import type { App } from '../state/app.svelte.ts';
import type { Words } from '../state/i18n.svelte.ts';
import { PRESET_FIELDS, type DraftField, type DraftValues } from '../state/draft-values.ts';

/** A field that differs from the preset, in words. */
export interface Difference {
  readonly field: DraftField;
  readonly name: string;
  readonly preset: string;
  readonly here: string;
  /** The two values' languages, where they are not the window's. */
  readonly presetLang?: Words['lang'];
  readonly hereLang?: Words['lang'];
}

/** Saved sets of fields: kept in the settings, so that they come along with the library. */
export class Presets {
  saving = $state(false);
  comparing = $state(false);
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  get list() {
    return this.#app.settings.value.presets;
  }

  /** The name of what the fields are compared with. */
  get name(): string {
    const { draft, models, i18n } = this.#app;
    if (draft.preset !== null) return draft.preset;
    return models.current
      ? i18n.t('generate.modelDefault', { model: i18n.pick(models.current.title) })
      : i18n.t('generate.presets');
  }

  use(name: string | null): void {
    const { draft, models } = this.#app;
    const preset = this.list.find((candidate) => candidate.name === name);
    if (models.current === null) return;
    draft.usePreset(preset?.name ?? null, preset?.settings ?? {}, models.current);
  }

  async save(name: string): Promise<void> {
    const { draft, models, settings, act } = this.#app;
    const others = this.list.filter((preset) => preset.name !== name);
    const preset = { name, settings: draft.asPreset() };
    await act(settings.change({ presets: [...others, preset] }));
    if (models.current) draft.usePreset(name, preset.settings, models.current);
    this.saving = false;
  }

  async remove(name: string): Promise<void> {
    const presets = this.list.filter((preset) => preset.name !== name);
    if (this.#app.draft.preset === name) this.use(null);
    await this.#app.act(this.#app.settings.change({ presets }));
  }

  differences(): readonly Difference[] {
    const { draft, i18n } = this.#app;
    return PRESET_FIELDS.filter((field) => draft.changed.includes(field)).map((field) => ({
      field,
      name: i18n.t(`field.${field}`),
      preset: this.#say(field, draft.base),
      here: this.#say(field, draft.value),
      presetLang: this.#langOf(field, draft.base),
      hereLang: this.#langOf(field, draft.value),
    }));
  }

  /** Only the name of a class is not ours. */
  #langOf(field: DraftField, { label }: DraftValues): Words['lang'] {
    const { i18n, models } = this.#app;
    return field === 'label' ? models.classWords(models.current, label, i18n).lang : undefined;
  }

  #say(field: DraftField, values: DraftValues): string {
    const { i18n, models, settings } = this.#app;
    switch (field) {
      case 'label':
        return models.className(models.current, values.label, i18n);
      case 'schedule':
        return i18n.t(`schedule.${values.schedule}`);
      case 'chunk':
        return values.chunk === null
          ? i18n.t('generate.chunkAuto', { count: settings.value.chunk })
          : i18n.number(values.chunk);
      case 'target':
        return i18n.t(`target.${values.target ?? settings.value.target}`);
      case 'seed':
        return String(values.seed);
      default:
        return i18n.number(values[field]);
    }
  }
}
