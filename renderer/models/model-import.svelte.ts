import type { ImportOffer } from '#api/contract';
import type { App } from '../state/app.svelte.ts';
import { describeFailure, type Failure } from '../state/errors.ts';
import { fileChooser, pathOf } from '../state/host.ts';

/** Files of one import: the contract's limit. */
const MOST = 20;

/** Bringing a model in: files are named, looked at, offered, accepted, copied. */
export class ModelImport {
  open = $state(false);
  /** Paths on the machine that the studio runs on, one a line. */
  text = $state('');
  accepted = $state(false);
  offer = $state.raw<ImportOffer | null>(null);
  phase = $state<'naming' | 'looking' | 'offered' | 'copying'>('naming');
  progress = $state.raw<{ readonly done: number; readonly total: number; readonly file: string }>({
    done: 0,
    total: 0,
    file: '',
  });
  /** Files that were dropped: a browser does not tell where they lie. */
  dropped = $state.raw<readonly string[]>([]);
  cancelling = $state(false);
  /** Why the files were refused: it names the file and the part, so it stays beside them. */
  failure = $state.raw<Failure | null>(null);
  /** The system's own dialog, where the host has one. */
  readonly chooser = fileChooser();
  readonly #app: App;
  readonly #imported: (id: string) => void;

  readonly files = $derived.by(() => pathsOf(this.text));
  readonly canLook = $derived.by(
    () => this.files.length > 0 && this.files.length <= MOST && this.phase === 'naming',
  );
  /** Licences must be read and accepted; an offer without any says so instead. */
  readonly canImport = $derived.by(() => this.phase === 'offered' && this.accepted);

  constructor(app: App, imported: (id: string) => void) {
    this.#app = app;
    this.#imported = imported;
    app.events.on('import', ({ done, total, file }) => {
      this.progress = { done, total, file };
    });
  }

  begin(dropped: readonly string[] = []): void {
    this.open = true;
    this.dropped = dropped;
    if (this.phase === 'offered') this.back();
  }

  /**
   * Takes what was dropped. The desktop program tells where files lie, so they are looked at right
   * away; from a browser come their names alone, unless a program handed paths over as text.
   */
  async drop(files: readonly File[], text: string): Promise<void> {
    const paths = files.map(pathOf);
    const known = paths.filter((path) => path !== null);
    this.begin(files.filter((_, index) => paths[index] === null).map(({ name }) => name));
    if (this.phase !== 'naming') return;
    if (known.length > 0) this.text = known.join('\n');
    else if (text !== '') this.text = text;
    if (known.length > 0 && known.length === files.length) await this.look();
  }

  /** Lets a person choose files in the system's dialog, and looks into them. */
  async choose(): Promise<void> {
    const paths = this.chooser === null ? undefined : await this.#app.act(this.chooser());
    if (paths === undefined || paths.length === 0 || this.phase !== 'naming') return;
    this.text = paths.join('\n');
    await this.look();
  }

  /** Closes the dialog. An import that runs goes on; the list shows it. */
  close(): void {
    this.open = false;
  }

  back(): void {
    this.phase = 'naming';
    this.failure = null;
    this.offer = null;
    this.accepted = false;
  }

  /** Looks into the files; nothing is copied. */
  async look(): Promise<void> {
    const { studio } = this.#app;
    if (!this.canLook) return;
    this.phase = 'looking';
    this.failure = null;
    this.accepted = false;
    const call = studio.models.offer({ files: [...this.files] });
    this.offer = (await this.#attempt(call)) ?? null;
    this.phase = this.offer === null ? 'naming' : 'offered';
  }

  /** Copies what was offered. */
  async import(): Promise<void> {
    const { studio, models, i18n, toasts, announcer } = this.#app;
    const { offer } = this;
    if (!this.canImport || offer === null) return;
    this.phase = 'copying';
    this.progress = { done: 0, total: offer.bytes, file: '' };
    this.failure = null;
    const call = studio.models.import({ files: [...this.files], acceptLicences: true });
    const made = await this.#attempt(call);
    this.cancelling = false;
    if (made === undefined) {
      this.phase = 'offered';
      return;
    }
    await models.refresh();
    this.#imported(made.id);
    const text = i18n.t('models.imported', { name: offer.title });
    announcer.polite(text);
    toasts.show({ text });
    this.text = '';
    this.dropped = [];
    this.back();
    this.close();
  }

  async #attempt<T>(call: Promise<T>): Promise<T | undefined> {
    const { i18n, announcer } = this.#app;
    try {
      return await call;
    } catch (error) {
      const failure = describeFailure(i18n, error);
      if (failure.code === 'cancelled') return undefined;
      this.failure = failure;
      announcer.alert(failure.sentence);
      return undefined;
    }
  }

  async cancel(): Promise<void> {
    const { act, studio } = this.#app;
    if (this.phase !== 'copying') return;
    this.cancelling = true;
    const done = await act(studio.models.cancelImport());
    if (done?.cancelled !== true) this.cancelling = false;
  }
}

/** The paths of a text, one a line; quotes around one, and `file://` before it, are taken off. */
export function pathsOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim().replace(/^(["'])(.*)\1$/, '$2'));
  return [...new Set(lines.filter((line) => line !== '').map(fromUri))];
}

function fromUri(line: string): string {
  if (!line.startsWith('file://')) return line;
  try {
    const path = decodeURIComponent(new URL(line).pathname);
    // "/C:/models" is how an address writes a drive.
    return /^\/[A-Za-z]:\//.test(path) ? path.slice(1) : path;
  } catch {
    return line;
  }
}
