import type { DecodeSteps } from '#api/images';
import type { LiveStep } from '../state/live.svelte.ts';
import { countTokens, guidanceAt, mean, uncertainty, type Ramp } from './decode.ts';
import type { Generate } from './generate.svelte.ts';

/** Steps a second of the playback. */
const PLAY_RATE = 6;

/** The decode steps of the picture on the stage, and which of them is looked at. */
export class StepView {
  /** Null looks at the newest, and at the finished picture once there is one. */
  chosen = $state<number | null>(null);
  loading = $state(false);
  #loaded = $state.raw<ReadonlyMap<number, DecodeSteps>>(new Map());
  /** Steps that the playback has gone since it began. */
  #played = 0;
  #timer = $state<ReturnType<typeof setInterval> | null>(null);
  readonly #generate: Generate;

  readonly #replayed = $derived.by(() => {
    const id = this.#generate.imageId;
    return id === null ? null : (this.#loaded.get(id) ?? null);
  });
  readonly list = $derived.by((): readonly LiveStep[] => {
    const seen = this.#generate.live?.steps ?? [];
    return this.#replayed !== null && seen.length < this.total ? this.#replayed.steps : seen;
  });
  readonly mask = $derived.by(() => this.#replayed?.mask ?? this.#generate.live?.mask ?? null);
  readonly total = $derived.by(() => this.ramp?.steps ?? 0);
  /** The step that is looked at; null before the first. */
  readonly current = $derived.by(
    () =>
      (this.chosen === null ? undefined : this.list.find((step) => step.step === this.chosen)) ??
      this.list.at(-1) ??
      null,
  );
  readonly before = $derived.by(() => {
    const { current } = this;
    return current === null ? undefined : this.list.find((step) => step.step === current.step - 1);
  });
  readonly counts = $derived.by(() =>
    this.current === null || this.mask === null
      ? null
      : countTokens(this.current, this.before, this.mask),
  );
  readonly uncertainty = $derived.by(() =>
    this.mask === null
      ? null
      : uncertainty(this.list, this.mask, this.current?.step ?? Number.POSITIVE_INFINITY),
  );
  readonly bits = $derived.by(() => this.uncertainty?.bits ?? null);
  readonly meanBits = $derived.by(() => (this.bits === null ? null : mean(this.bits)));
  readonly ramp = $derived.by((): Ramp | null => {
    return this.#generate.subject;
  });
  readonly guidanceNow = $derived.by(() =>
    this.ramp === null || this.current === null ? null : guidanceAt(this.ramp, this.current.step),
  );
  /** Whether the stage shows a step, rather than the finished picture. */
  readonly shown = $derived.by(
    () => this.current !== null && (this.chosen !== null || this.#generate.imageId === null),
  );
  readonly playing = $derived.by(() => this.#timer !== null);

  constructor(generate: Generate) {
    this.#generate = generate;
  }

  /** Looks at the newest step again, or at the finished picture. */
  follow(): void {
    this.stop();
    this.chosen = null;
  }

  choose(step: number): void {
    const nearest = this.list.reduce<LiveStep | null>(
      (best, other) =>
        best === null || Math.abs(other.step - step) < Math.abs(best.step - step) ? other : best,
      null,
    );
    if (nearest === null) return;
    const live = this.#generate.imageId === null && nearest === this.list.at(-1);
    this.chosen = live ? null : nearest.step;
  }

  by(steps: number): void {
    this.stop();
    if (this.current !== null) this.choose(this.current.step + steps);
  }

  play(): void {
    if (this.#timer !== null) return this.stop();
    if (this.list.length < 2) return;
    this.#played = 0;
    const atEnd = this.current === this.list.at(-1);
    if (atEnd) this.choose(this.list[0]?.step ?? 1);
    this.#timer = setInterval(() => {
      const now = this.current?.step ?? 0;
      this.#played += 1;
      this.choose(now + 1);
      if (this.current === this.list.at(-1)) this.stop();
    }, 1000 / PLAY_RATE);
  }

  /** The key that began to play was let go: held, it played as long as that; tapped, it plays on. */
  release(): void {
    if (this.#played > 0) this.stop();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Makes the steps of a finished picture again from its recipe. */
  async load(): Promise<void> {
    const { app, imageId: id } = this.#generate;
    if (id === null || this.loading) return;
    this.loading = true;
    const steps = await app.act(app.studio.images.steps({ id }));
    this.loading = false;
    if (steps === undefined) return;
    this.#loaded = new Map(this.#loaded).set(id, steps);
    // The finished picture is a file, and there at once: its pixels serve until those of a step come.
    const pictures = [this.#generate.finished, ...steps.steps.map((step) => step.preview)];
    this.#generate.previews.wantAll(pictures.filter((address) => address !== null));
  }
}
