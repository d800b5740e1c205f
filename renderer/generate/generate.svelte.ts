import { createContext } from 'svelte';
import type { ImageDetail } from '#api/images';
import type { Job } from '#api/jobs';
import { currentAddress, fullAddress } from '../state/addresses.ts';
import type { App } from '../state/app.svelte.ts';
import { isForeign, seedAfter } from '../state/draft-values.ts';
import type { Command } from '../state/commands.svelte.ts';
import { changedIds } from '../state/events.svelte.ts';
import { nextIndex, pictureAt } from '../state/jobs.svelte.ts';
import type { LivePicture } from '../state/live.svelte.ts';
import { Announcements, type Ended } from './announcements.ts';
import { generateCommands } from './commands.ts';
import { executedSteps } from './decode.ts';
import { Marks } from './marks.svelte.ts';
import { loadTable, Mosaics } from './mosaics.svelte.ts';
import { Paces } from './paces.svelte.ts';
import { PictureDetails } from './picture-details.svelte.ts';
import { loadPicture, Previews } from './previews.svelte.ts';
import { StepView } from './step-view.svelte.ts';
import { subjectOf } from './subject.ts';
import { warmPicture } from './warm.ts';

/** What a person picked among the pictures of jobs. */
interface Pick {
  readonly job: number;
  readonly index: number;
}
export type StageTab = 'picture' | 'tokens' | 'uncertainty';

/** The Generate view: which picture is on the stage, what is known of it, and what can be done. */
export class Generate {
  tab = $state<StageTab>('picture');
  zoom = $state<number | null>(null);
  /** Null follows what is being made. */
  picked = $state.raw<Pick | null>(null);
  /** The key that shows the parent is held. */
  parentHeld = $state(false);
  /** The job that ended last, until another one starts. */
  ended = $state.raw<Ended | null>(null);
  /** Escape was pressed with nothing left to close: whether to cancel is asked. */
  askingToCancel = $state(false);
  #adding = $state(false);
  /** A file is read to start from. */
  importing = $state(false);
  readonly app: App;
  readonly previews = new Previews(loadPicture);
  readonly mosaics: Mosaics;
  readonly #announcements: Announcements;
  readonly #details: PictureDetails;
  readonly #paces: Paces;

  /** A picture of the library that the address asks for, whatever job it came from. */
  readonly #linked = $derived.by((): number | null => {
    const { view, image } = this.app.navigation;
    return view === 'generate' && this.picked === null ? image : null;
  });
  readonly #pick = $derived.by((): Pick | null => {
    const linked = this.#linked;
    if (linked === null) return this.picked;
    const job = this.app.jobs.ofPicture(linked);
    const index = job?.indexes[job.images.indexOf(linked)];
    return job === null || index === undefined ? null : { job: job.id, index };
  });
  readonly job = $derived.by((): Job | null => {
    const { jobs } = this.app;
    const chosen = this.#pick ? jobs.byId(this.#pick.job) : null;
    return chosen ?? (this.#linked === null ? (jobs.running ?? jobs.newest) : null);
  });
  readonly index = $derived.by((): number | null => {
    const { job } = this;
    if (job === null) return null;
    if (this.#pick?.job === job.id) return this.#pick.index;
    const next = nextIndex(job);
    // Of pictures that are decoded together the first is followed, and the one before it stays on
    // the stage until there is something to see.
    const coming = job.state === 'running' ? this.app.live.get(job.id, next) : null;
    return coming !== null && this.#canShow(coming) ? next : Math.max(0, next - 1);
  });
  /** Address of the newest preview of the picture that is followed. */
  readonly coming = $derived.by((): string | null => {
    const running = this.app.jobs.running;
    if (running === null || this.picked !== null || this.#linked !== null) return null;
    return this.app.live.get(running.id, nextIndex(running))?.steps.at(-1)?.preview ?? null;
  });
  readonly live = $derived.by((): LivePicture | null =>
    this.job === null || this.index === null ? null : this.app.live.get(this.job.id, this.index),
  );
  /** The kept picture that the stage is about, shown or not yet. */
  readonly keptId = $derived.by((): number | null => {
    if (this.job === null || this.index === null) return this.#linked;
    return pictureAt(this.job, this.index);
  });
  /** The kept picture on the stage. One that was followed takes the place of its decoding when read. */
  readonly imageId = $derived.by((): number | null => {
    const id = this.keptId;
    const followed = this.#pick === null && this.live !== null;
    return id !== null && followed && !this.#details.has(id) ? null : id;
  });
  /** Address of the finished picture's pixels, where there are any. */
  readonly finished = $derived.by(() =>
    this.detail?.file === 'present' ? fullAddress(this.detail) : null,
  );
  readonly detail = $derived.by(() =>
    this.imageId === null ? null : this.#details.get(this.imageId),
  );
  /** What is known of the picture on the stage; null while there is none. */
  readonly subject = $derived.by(() => subjectOf(this.detail, this.job, this.index));
  /** Whether it was made here: only then is there a recipe to give back, and steps to show. */
  readonly hasRecipe = $derived.by(() => this.detail !== null && !isForeign(this.detail));
  /** Address of the picture that this one was made from, while it is to be seen. */
  readonly parentShown = $derived.by((): string | null => {
    const parent = this.detail?.parents[0];
    return this.parentHeld && parent !== undefined ? currentAddress(parent.id) : null;
  });
  /** The decode steps of the picture on the stage, and which of them is looked at. */
  readonly steps: StepView;
  readonly marks: Marks;
  readonly model = $derived.by(() => this.app.models.current);
  /** What the codes of the picture on the stage look like; null while that is not known. */
  readonly mosaic = $derived.by(() => {
    // Not by the subject: which picture that is depends on whether there is a mosaic.
    const made = this.job?.settings.model ?? this.detail?.recipe.model.id;
    return made === undefined ? null : this.mosaics.get(made);
  });
  /** Why no job can be made, as a message key; null when one can. */
  readonly hindrance = $derived.by(() => hindranceOf(this.app));
  /** Milliseconds that the next job would take, by what its model took here; null when not known. */
  readonly estimate = $derived.by((): number | null => {
    const { draft, status } = this.app;
    const machine = status.value?.cpu;
    const target = draft.target;
    if (this.model === null || machine === undefined || target === null) return null;
    const pace = this.#paces.of(machine, this.model.id, target);
    const { rdmSteps, steps } = draft.value;
    const rdmStep = draft.source.kind === 'image' ? 0 : (pace?.rdmStep ?? null);
    if (pace === null || rdmStep === null) return null;
    const picture = rdmStep * executedSteps(rdmSteps) + pace.decodeStep * steps + pace.pixels;
    return draft.value[draft.amount] * picture;
  });

  constructor(app: App, warm = warmPicture) {
    this.app = app;
    this.#details = new PictureDetails(app, warm);
    this.#paces = new Paces(app.kept);
    this.steps = new StepView(this);
    this.marks = new Marks(this);
    this.mosaics = new Mosaics(app, loadTable);
    this.#announcements = new Announcements(app, (ended) => (this.ended = ended));
    app.events.on('jobs', () => this.#announcements.follow());
    app.events.on('progress', (event) => this.#announcements.progress(event.progress));
    app.events.on('images', (event) => this.#details.forget(changedIds(event), this.imageId));
    app.events.onMade((made) => this.#take(made));
  }

  commands(): readonly Command[] {
    return generateCommands(this);
  }

  /** Makes a job of the draft. */
  async add(): Promise<void> {
    const { app } = this;
    if (this.hindrance !== null || this.#adding) return;
    this.#adding = true;
    const job = await app.act(app.jobs.create(app.draft.toJob(this.model)));
    this.#adding = false;
    if (job === undefined) return;
    app.draft.advance();
    this.#followNewest();
  }

  async cancel(): Promise<void> {
    const { jobs, act } = this.app;
    this.askingToCancel = false;
    if (jobs.running) await act(jobs.cancel(jobs.running.id));
  }

  /** Whether Escape has something to do here. */
  get canEscape(): boolean {
    const away = this.steps.chosen !== null || this.tab !== 'picture';
    return away || this.picked !== null || this.#linked !== null || this.app.jobs.running !== null;
  }

  /** Closes what is open on the stage, then lets the picture go, then asks about the job. */
  escape(): void {
    if (this.steps.chosen !== null) this.steps.follow();
    else if (this.tab !== 'picture') this.tab = 'picture';
    else if (this.picked !== null || this.#linked !== null) this.#followNewest();
    else this.askingToCancel = this.app.jobs.running !== null;
  }

  pick(job: number, index: number): void {
    const { live } = this.app;
    const newest = live.latest?.job === job && live.latest.index === index;
    // Picking what is being made is following it.
    this.#followNewest();
    if (!newest || this.app.jobs.running?.id !== job) this.picked = { job, index };
  }

  /** Reads a kept picture's details and pixels, once, so that all of it appears together. */
  async load(id: number | null): Promise<void> {
    if (id === null) return;
    const detail = await this.#details.load(id, (came) => this.#learn(came));
    // One of a job that is off the list by now: the strip shows the pictures beside it all the same.
    if (this.#linked === id && detail?.job) await this.app.jobs.find(detail.job);
  }

  /** Shows the picture on the stage in the gallery, or those that are like it. */
  leaveFor(what: 'image' | 'similar'): void {
    if (this.imageId !== null) this.app.navigation.go('gallery', { [what]: this.imageId });
  }

  async rebuild(): Promise<void> {
    const { detail, app } = this;
    if (detail === null) return;
    const rebuilt = await app.act(app.studio.images.rebuild({ id: detail.id }));
    if (rebuilt) this.#details.put(rebuilt);
  }

  /** The next job starts from the representation of the picture on the stage. */
  variations(): void {
    if (this.imageId === null) return;
    const { draft } = this.app;
    // With the picture's own seed the first of them would be the picture again.
    draft.startFrom(this.imageId, draft.locked ? {} : { seed: seedAfter(draft.value.seed, 1) });
  }

  /** Takes a file into the library, and starts the next job from it. Of several the first counts. */
  async startFromFile(files: readonly File[]): Promise<void> {
    const { app } = this;
    const [file] = files;
    if (file === undefined || this.importing || !app.mayWrite()) return;
    this.importing = true;
    const taken = await app.act(app.studio.images.import({ files: [file] }));
    this.importing = false;
    if (taken === undefined) return;
    app.undo.did(taken.undo);
    const [id] = taken.ids;
    const text = app.i18n.t(id === undefined ? 'generate.sourceRefused' : 'generate.sourceTaken', {
      file: file.name,
    });
    if (id !== undefined) app.draft.startFrom(id);
    app.toasts.show({ text, ...(id === undefined ? { tone: 'danger' } : {}) });
    app.announcer.polite(text);
  }

  /** Takes pasted pictures as a drop on the recipe does, while this view is shown; answers whether it did. */
  takePasted(files: readonly File[]): boolean {
    const pictures = files.filter(({ type }) => type.startsWith('image/'));
    if (this.app.navigation.view !== 'generate' || pictures.length === 0) return false;
    void this.startFromFile(pictures);
    return true;
  }

  /** Makes the picture's seed again, with the settings as they are now. */
  async again(): Promise<void> {
    const { app, subject } = this;
    if (subject === null || subject.file !== null) return;
    const wish = app.draft.toJob(this.model);
    const settings = { ...wish.settings, seed: subject.seed, count: 1 };
    const made = await app.act(app.jobs.create({ ...wish, settings }));
    if (made) this.#followNewest();
  }

  useRecipe(): void {
    if (this.detail !== null) this.app.draft.use(this.detail);
  }

  async copyPicture(copy: (address: string) => Promise<void>): Promise<void> {
    const { finished, app } = this;
    if (finished === null) return;
    const done = await app.act(copy(finished).then(() => true));
    if (done) app.toasts.show({ text: app.i18n.t('inspect.copiedPicture') });
  }

  async copyRecipe(): Promise<void> {
    const { detail, app } = this;
    if (detail === null) return;
    const text = JSON.stringify(detail.recipe, null, 2);
    const done = await app.act(navigator.clipboard.writeText(text).then(() => true));
    if (done) app.toasts.show({ text: app.i18n.t('inspect.copied') });
  }

  dice(): void {
    const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.app.draft.set({ seed: random % 1_000_000 });
  }

  /** Goes back from a picture that was picked or linked to what is being made. */
  #followNewest(): void {
    this.picked = null;
    const { navigation } = this.app;
    if (navigation.view === 'generate' && navigation.image !== null) navigation.go('generate');
    this.steps.follow();
  }

  /** Of a picture that was made while this window looked on, and so on this machine. */
  #learn(detail: ImageDetail): void {
    const machine = this.app.status.value?.cpu;
    const job = detail.job === null ? null : this.app.jobs.byId(detail.job);
    const index = job?.images.indexOf(detail.id) ?? -1;
    if (machine === undefined || job === null || this.app.live.get(job.id, index) === null) return;
    this.#paces.learn(machine, detail);
  }

  /** Whether there is something to see of a picture that is being made. */
  #canShow(picture: LivePicture): boolean {
    if (this.previews.arrived < 0 || picture.steps.length === 0) return false;
    const asked = picture.steps.filter((step) => step.preview !== null);
    const here = asked.some((step) => this.previews.get(step.preview) !== null);
    // By the job's model: what is on the stage follows from this answer.
    const model = this.app.jobs.byId(picture.job)?.settings.model;
    const mosaic = model !== undefined && this.mosaics.get(model) !== null;
    return here || mosaic || asked.length === 0 || picture.steps.length > 2;
  }

  /** Reads a picture again: something of it changed. */
  reload(id: number): Promise<void> {
    return this.#details.reload(id);
  }

  /** Keeps the details of pictures that were just made. The one that will be on the stage is loaded. */
  async #take(made: readonly ImageDetail[]): Promise<void> {
    this.#details.tell(made);
    const newest = made.at(-1);
    const { navigation, jobs } = this.app;
    const followed = navigation.view === 'generate' && this.picked === null;
    if (newest?.job !== jobs.running?.id || !followed || newest?.file !== 'present') return;
    await this.#details.show(newest);
  }
}

function hindranceOf({ models, draft, lookOnly }: App) {
  const model = models.current;
  if (lookOnly) return 'state.lookOnly';
  if (!models.loaded) return 'stage.loadingModel';
  if (model === null) return 'generate.noModel';
  if (model.state === 'damaged') return 'generate.damaged';
  if (models.isBlocked(model)) return 'generate.blocked';
  if (!models.has(model, 'mage')) return 'generate.noMage';
  if (!models.has(model, 'vqgan')) return 'generate.noVqgan';
  if (draft.source.kind === 'sample' && !models.has(model, 'rdm')) return 'generate.noRdm';
  return null;
}

/** `useGenerate` in the view's components; `provideGenerate` once, at the root. */
export const [useGenerate, provideGenerate] = createContext<Generate>();
