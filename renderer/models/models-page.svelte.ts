import { createContext } from 'svelte';
import type { ImageRow } from '#api/images';
import type { ModelInfo } from '#api/models';
import type { App } from '../state/app.svelte.ts';
import { outliving } from '../state/outliving.svelte.ts';
import { DoctorState } from './doctor-state.svelte.ts';
import { ModelImport } from './model-import.svelte.ts';

/** Pictures of a model that are shown. */
const SAMPLES = 9;

/** The Models view: the model that is looked at, its proof, imports, and the doctor. */
export class ModelsPage {
  verifying = $state<string | null>(null);
  #picked = $state<string | null>(null);
  #samples = $state.raw<ReadonlyMap<string, readonly ImageRow[]>>(new Map());
  readonly app: App;
  readonly doctor: DoctorState;
  readonly import: ModelImport;

  readonly model = $derived.by((): ModelInfo | null => {
    const { models } = this.app;
    return (this.#picked === null ? null : models.byId(this.#picked)) ?? models.current;
  });

  constructor(app: App) {
    this.app = app;
    this.doctor = new DoctorState(app);
    this.import = new ModelImport(app, (id) => this.pick(id));
  }

  pick(id: string): void {
    this.#picked = id;
  }

  samplesOf(id: string): readonly ImageRow[] {
    return this.#samples.get(id) ?? [];
  }

  /** Reads a few of the pictures that a model made, the best rated first; once. */
  async loadSamples(id: string): Promise<void> {
    if (this.#samples.has(id)) return;
    this.#samples = new Map(this.#samples).set(id, []);
    const { images } = this.app.studio;
    try {
      const sort = { by: 'rating', descending: true } as const;
      const { ids } = await images.search({ filter: { models: [id] }, sort });
      const rows = await images.rows({ ids: ids.slice(0, SAMPLES) });
      this.#samples = new Map(this.#samples).set(
        id,
        rows.filter((row) => row.file === 'present'),
      );
    } catch {
      // A strip of samples is decoration: without it the page says all the same.
    }
  }

  /** Reads every file of a model and compares its hash. */
  async verify(id: string): Promise<void> {
    const { app } = this;
    if (this.verifying !== null) return;
    this.verifying = id;
    const result = await app.act(app.studio.models.verify({ id }));
    this.verifying = null;
    if (result === undefined) return;
    const { problems } = result;
    await app.models.refresh();
    const model = app.models.byId(id);
    const name = model === null ? id : app.i18n.pick(model.title);
    if (problems.length === 0) app.announcer.polite(app.i18n.t('models.verifiedName', { name }));
    else app.announcer.alert(app.i18n.t('models.problems', { count: problems.length }));
  }

  /** Takes the model and its own settings to Generate. */
  async use(model: ModelInfo): Promise<void> {
    const { app } = this;
    if (app.models.current?.id === model.id) app.draft.usePreset(null, {}, model);
    else await app.act(app.settings.change({ model: model.id }));
    app.navigation.go('generate');
  }

  /** Takes a model away; it can be undone. */
  async remove(model: ModelInfo): Promise<void> {
    const { app } = this;
    const done = await app.act(app.undo.apply(app.studio.models.remove({ id: model.id })));
    if (done === undefined) return;
    await app.models.refresh();
    const text = app.i18n.t('models.removed', { name: app.i18n.pick(model.title) });
    app.announcer.polite(text);
    app.toasts.show({
      text,
      action: { label: app.i18n.t('action.undo'), run: () => void app.undoNow() },
    });
  }

  async copy(text: string): Promise<void> {
    const { app } = this;
    const done = await app.act(navigator.clipboard.writeText(text).then(() => true));
    if (done) app.toasts.show({ text: app.i18n.t('action.copied') });
  }
}

/** `useModelsPage` in the view's components; `provideModelsPage` in the view. */
export const [useModelsPage, provideModelsPage] = createContext<ModelsPage>();

const pages = new WeakMap<App, ModelsPage>();

/** The window's page: an import and a report outlive a visit to another view. */
export function modelsPageOf(app: App): ModelsPage {
  const page = pages.get(app) ?? outliving(() => new ModelsPage(app));
  pages.set(app, page);
  return page;
}
