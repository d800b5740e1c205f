import { createContext } from 'svelte';
import { Announcer } from './announce.svelte.ts';
import { Commands, type CommandInfo } from './commands.svelte.ts';
import { Draft } from './draft.svelte.ts';
import { Drags } from './drags.ts';
import { describeFailure } from './errors.ts';
import { Events } from './events.svelte.ts';
import { fileDragger } from './host.ts';
import { I18n } from './i18n.svelte.ts';
import { JobAlerts } from './job-alerts.ts';
import { Jobs } from './jobs.svelte.ts';
import { Library } from './library.svelte.ts';
import { Live } from './live.svelte.ts';
import { Models } from './models.svelte.ts';
import { Navigation, type AddressBar } from './navigation.svelte.ts';
import { Panels } from './panels.svelte.ts';
import type { Kept } from './session.ts';
import { SettingsState } from './settings.svelte.ts';
import { Status } from './status.svelte.ts';
import type { StudioClient } from './studio.ts';
import { Toasts } from './toasts.svelte.ts';
import type { ListedStep, Taken, UndoSubject } from './undo-steps.ts';
import { Undo } from './undo.svelte.ts';

/** What the state needs of the browser. */
export interface Surroundings {
  readonly bar: AddressBar;
  /** What this window was at when it was last open. */
  readonly kept: Kept;
}

/** What a control takes on that is off, with the reason as its tip; nothing of it while it is on. */
export interface Off {
  readonly disabled?: true;
  readonly title?: string;
}

/** Everything that the views share, put together once for a window. */
export class App {
  readonly i18n = new I18n();
  readonly announcer = new Announcer();
  readonly toasts = new Toasts();
  readonly studio: StudioClient;
  readonly events: Events;
  readonly undo: Undo;
  readonly settings: SettingsState;
  readonly models: Models;
  readonly jobs: Jobs;
  readonly live: Live;
  readonly library: Library;
  readonly status: Status;
  readonly draft: Draft;
  readonly navigation: Navigation;
  readonly commands: Commands;
  readonly kept: Kept;
  readonly panels: Panels;
  readonly drags: Drags;
  /** Whether the library is only looked at: what would write into it is off, and says why. */
  readonly lookOnly = $derived.by(() => this.status.value?.state.kind === 'read-only');
  /** To be spread on each control that writes into the library, behind what it says itself. */
  readonly off = $derived.by((): Off =>
    this.lookOnly ? { disabled: true, title: this.i18n.t('state.lookOnly') } : {},
  );
  /** Files that a paste or the desktop brought, until the gallery takes them in. */
  arrivals = $state.raw<readonly File[]>([]);

  constructor(studio: StudioClient, surroundings: Surroundings) {
    this.studio = studio;
    this.events = new Events(studio);
    this.undo = new Undo(studio, () => !this.lookOnly);
    this.settings = new SettingsState(studio, this.events, this.undo);
    this.models = new Models(studio, this.events, this.settings);
    this.jobs = new Jobs(studio, this.events);
    this.live = new Live(this.events);
    this.library = new Library(studio, this.events);
    this.status = new Status(studio, this.events);
    this.kept = surroundings.kept;
    this.draft = new Draft({
      undo: this.undo,
      kept: this.kept,
      modelById: (id) => this.models.byId(id),
      mayChooseModel: () => !this.lookOnly,
      chooseModel: (model) => this.act(this.settings.apply({ model })),
      ownTarget: () => this.status.value?.target ?? null,
    });
    this.navigation = new Navigation(surroundings.bar, this.kept);
    this.panels = new Panels(this.kept);
    this.drags = new Drags({
      dragOut: fileDragger(),
      tellMost: (most, count) => this.#say(this.i18n.t('drag.most', { most, count })),
      failed: (error) => void this.act(Promise.reject(error)),
    });
    this.commands = new Commands(
      () => this.settings.value,
      () => this.navigation.view,
      () => !this.lookOnly,
    );
    this.events.onConnected(() => void this.undo.refresh());
    this.events.on('images', ({ made }) => {
      // What a job makes is no step to take back.
      if (made === undefined) this.undo.refreshSoon();
    });
    new JobAlerts(this);
  }

  /**
   * Waits for a call. A failure is shown and announced by the sentence of its code, once, here;
   * the caller only sees `undefined`. That the library is not open is said by a page of its own,
   * unless the call is what a person tries about that.
   */
  act = async <T>(call: Promise<T>, { opens = false } = {}): Promise<T | undefined> => {
    try {
      return await call;
    } catch (error) {
      const failure = describeFailure(this.i18n, error);
      if (failure.code === 'cancelled') return undefined;
      if (failure.code === 'library-unavailable' && !this.#canRead && !opens) return undefined;
      this.toasts.show({ text: failure.sentence, tone: 'danger', code: failure.code });
      this.announcer.alert(failure.sentence);
      return undefined;
    }
  };

  /** Whether there is a library to look at; false also while that is not known. */
  get #canRead(): boolean {
    const kind = this.status.value?.state.kind;
    return kind === 'open' || kind === 'read-only';
  }

  /** Takes files to where they are imported. */
  bring(files: readonly File[]): void {
    if (files.length === 0) return;
    if (!this.mayWrite()) return;
    this.arrivals = [...this.arrivals, ...files];
    this.navigation.go('gallery');
  }

  /** For what no control leads to, such as a drop: whether the library can be written; if not, says so. */
  mayWrite(): boolean {
    if (!this.lookOnly) return true;
    this.#say(this.i18n.t('state.lookOnly'));
    return false;
  }

  takeArrivals(): readonly File[] {
    const files = this.arrivals;
    this.arrivals = [];
    return files;
  }

  /** Runs a command by its name: in the view that it belongs to, going there first. */
  perform(command: CommandInfo): void {
    const [view] = command.views ?? [];
    if (view !== undefined && !this.commands.isHere(command)) this.navigation.go(view);
    this.commands.runWhenThere(command.id, () => {
      this.#say(this.i18n.t('palette.notNow', { command: this.i18n.t(command.title) }));
    });
  }

  /** What a step of the undo log is called. */
  subjectName(subject: UndoSubject): string {
    if (subject.kind === 'local') return this.i18n.lookup(subject.label) ?? '';
    return this.i18n.lookup(`undo.${subject.item.kind}`, { count: subject.item.count }) ?? '';
  }

  undoNow = async (): Promise<void> => {
    const done = await this.act(this.undo.undo());
    if (done) this.#tell('undo.done', done);
  };

  redoNow = async (): Promise<void> => {
    const done = await this.act(this.undo.redo());
    if (done) this.#tell('undo.redone', done);
  };

  /** Takes all steps up to one of the list, and it, and says how far that went. */
  takeThrough = async (way: 'undo' | 'redo', step: ListedStep): Promise<void> => {
    const taken = await this.act(this.undo.through(way, step));
    if (taken === undefined) return;
    const key = way === 'undo' ? 'undo.done' : 'undo.redone';
    if (taken.stopped !== null) this.#tellStopped(`${key}Partly`, taken, taken.stopped);
    else if (taken.done === 1) this.#tell(key, step.subject);
    else this.announcer.polite(this.i18n.t(`${key}Steps`, { count: taken.done }));
  };

  /** Shows a short message, and reads it out. */
  #say(text: string): void {
    this.toasts.show({ text });
    this.announcer.polite(text);
  }

  #tell(key: 'undo.done' | 'undo.redone', subject: UndoSubject): void {
    this.announcer.polite(this.i18n.t(key, { what: this.subjectName(subject) }));
  }

  #tellStopped(
    key: 'undo.donePartly' | 'undo.redonePartly',
    { done, asked }: Taken,
    { subject, error }: NonNullable<Taken['stopped']>,
  ): void {
    const failure = error === undefined ? null : describeFailure(this.i18n, error);
    const why =
      failure === null ? this.i18n.t('undo.overtaken') : (failure.why ?? failure.sentence);
    const what = this.subjectName(subject);
    const text = this.i18n.t(key, { done, count: asked, what, why });
    this.toasts.show({ text, tone: 'danger', ...(failure && { code: failure.code }) });
    this.announcer.alert(text);
  }
}

/** `useApp` in any component; `provideApp` once, at the root. */
export const [useApp, provideApp] = createContext<App>();
