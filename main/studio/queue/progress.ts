import type { Progress } from '#api/jobs';
import type { StepReport } from '#worker/protocol';

/** A window is told at most ten times a second. */
const GAP_MS = 100;
/** What drawing one message costs a window, with the browser's own work, in time of one core. */
const DRAW_MS = 15;
/** Part of the machine's cores that drawing may take from a run, which uses them all. */
const DRAW_SHARE = 0.015;
/** Messages that may be saved up, so that a short job is watched closely on any machine. */
const SAVED = 5;
/** What finished pictures cost a window, in messages: it loads the newest, and shows them in four places. */
const LANDING = 3;

/** Milliseconds between two messages of a long run: told less on few cores, it leaves more to the run. */
export function messageGap(cores: number): number {
  return Math.max(GAP_MS, DRAW_MS / (DRAW_SHARE * Math.max(1, cores)));
}

/** How many messages windows may draw: one for all jobs, so that many short ones are a long run. */
export interface DrawBudget {
  /** Milliseconds until the next message may be told. */
  wait(): number;
  /**
   * Milliseconds until a preview may. The engine has paid for it and it is soon of no use, so the
   * first one after finished pictures is told on credit: what comes after it waits for so much longer.
   */
  waitForPreview(): number;
  /** Something is told now that costs a window as much as so many messages; nothing unwatched. */
  spend(messages: number): void;
  preview(): void;
  /** Finished pictures are told now. */
  land(): void;
}

/** @param watched whether any window is there to draw */
export function createDrawBudget(
  now: () => number,
  cores: number,
  watched: () => boolean = () => true,
): DrawBudget {
  const gap = messageGap(cores);
  let saved = SAVED;
  let last = -Infinity;
  let credit = true;
  const savedNow = (): number => Math.min(SAVED, saved + (now() - last) / gap);
  const wait = (): number => Math.max(0, last + GAP_MS - now(), (1 - savedNow()) * gap);
  const spend = (messages: number): void => {
    if (!watched()) return;
    saved = savedNow() - messages;
    last = now();
  };
  return {
    wait,
    waitForPreview: () => (credit ? Math.max(0, last + GAP_MS - now()) : wait()),
    spend,
    preview() {
      spend(1);
      credit = false;
    },
    land() {
      spend(LANDING);
      credit = true;
    },
  };
}

/** What could be told of a picture. Most of it is overtaken untold, so it is put into words late. */
export interface News {
  /** Index of the picture in its job. */
  readonly index: number;
  readonly pictured: boolean;
  readonly tell: () => Progress;
}

/** Lets through what a window can use of a run's reports: the newest, not too many, fairly. */
export interface ProgressFeed {
  offer(news: News): void;
  /** What is known of a picture that is done is of no more use. */
  finished(index: number): void;
  close(): void;
}

export interface FeedOptions {
  readonly publish: (progress: Progress) => void;
  readonly budget: DrawBudget;
}

/**
 * Of each picture the newest report waits for its turn. Every other turn is the first picture's, so
 * that one decoding can be watched closely; the rest take turns.
 */
export function createProgressFeed({ publish, budget }: FeedOptions): ProgressFeed {
  const waiting = new Map<number, News>();
  /** The turn in which each picture was told of last. */
  const told = new Map<number, number>();
  const toldAt = (index: number): number => told.get(index) ?? 0;
  let turn = 0;
  let timer: NodeJS.Timeout | undefined;

  const choose = (): News | undefined => {
    const all = [...waiting.values()].sort((a, b) => a.index - b.index);
    const [first, ...others] = all;
    const unseen = others.toSorted((a, b) => toldAt(a.index) - toldAt(b.index));
    const pictured = all.find((news) => news.pictured);
    turn++;
    return pictured ?? (turn % 2 === 1 ? first : (unseen[0] ?? first));
  };
  const tell = (): void => {
    timer = undefined;
    const chosen = choose();
    if (chosen === undefined) return;
    waiting.delete(chosen.index);
    told.set(chosen.index, turn);
    if (chosen.pictured) budget.preview();
    else budget.spend(1);
    publish(chosen.tell());
    schedule();
  };
  const schedule = (): void => {
    if (timer !== undefined || waiting.size === 0) return;
    const pictured = waiting.values().some((news) => news.pictured);
    const wait = pictured ? budget.waitForPreview() : budget.wait();
    timer = setTimeout(tell, Math.ceil(wait));
  };
  const scheduleAnew = (): void => {
    clearTimeout(timer);
    timer = undefined;
    schedule();
  };
  return {
    offer(news) {
      // A preview was paid for: it is shown before the steps that came after it.
      if (waiting.get(news.index)?.pictured === true && !news.pictured) return;
      waiting.set(news.index, news);
      if (news.pictured) scheduleAnew();
      else schedule();
    },
    finished(index) {
      const before = waiting.get(index);
      waiting.delete(index);
      told.delete(index);
      if (before?.pictured === true) scheduleAnew();
    },
    close() {
      clearTimeout(timer);
      waiting.clear();
    },
  };
}

/** The tokens after a step, as a person means it: after the last one the draws are the picture. */
export function tokensAfter(report: StepReport): readonly number[] {
  return Array.from(report.step < report.steps ? report.tokens : report.sampled);
}

/** A step as a window is told of it. */
export function stepProgress(
  report: StepReport,
  at: {
    readonly job: number;
    readonly index: number;
    readonly seed: number;
    readonly mask: number;
  },
): Progress {
  return {
    ...at,
    stage: 'tokens',
    done: report.step,
    total: report.steps,
    tokens: tokensAfter(report),
    ...doubtOf(report),
  };
}

/** How uncertain each token was, as a window is told it: what is drawn and read needs no more. */
export function doubtOf({ entropy, second }: Pick<StepReport, 'entropy' | 'second'>) {
  return {
    entropy: Array.from(entropy, (bits) => Math.round(bits * 10) / 10),
    second: Array.from(second, (probability) => Math.round(probability * 100)),
  };
}
