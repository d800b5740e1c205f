import type { Methods, StepReport } from '#worker/protocol';
import type { Workshop } from '../workshop.ts';
import type { Previews } from './previews.ts';
import { createProgressFeed, stepProgress, type DrawBudget } from './progress.ts';

type Event = Methods['generate']['event'];

/** Turns a run's reports into what windows are told. */
export interface Watch {
  /** @param indexOf the picture of the job that a row of the batch is */
  take(event: Event, indexOf: (row: number) => number): void;
  close(): void;
}

export interface WatchOptions {
  readonly job: number;
  /** Seed of the job's first picture. */
  readonly seed: number;
  /** The token that stands for "open". */
  readonly mask: number;
  readonly previews: Previews;
  readonly budget: DrawBudget;
}

/** The first stage has nothing to look at: a window hears of it seldom, and keeps its messages for steps. */
const STAGE_GAP_MS = 500;

export function createWatch(
  { events, now }: Pick<Workshop, 'events' | 'now'>,
  { job, seed, mask, previews, budget }: WatchOptions,
): Watch {
  const feed = createProgressFeed({
    publish: (progress) => events.publish({ kind: 'progress', progress }),
    budget,
  });
  /** The step that a preview belongs to: it comes before the next one. */
  const newest = new Map<number, StepReport>();
  let stageTold = -Infinity;
  const at = (index: number) => ({ job, index, seed: seed + index, mask });

  const take: Watch['take'] = (event, indexOf) => {
    switch (event.kind) {
      case 'stage': {
        const { done, total } = event;
        const index = indexOf(0);
        if (now() - stageTold < STAGE_GAP_MS) return;
        stageTold = now();
        const tell = () => ({ ...at(index), stage: 'representation', done, total }) as const;
        feed.offer({ index, pictured: false, tell });
        return;
      }
      case 'step': {
        const { report } = event;
        const index = indexOf(report.index);
        newest.set(index, report);
        feed.offer({ index, pictured: false, tell: () => stepProgress(report, at(index)) });
        return;
      }
      case 'preview': {
        const index = indexOf(event.index);
        const report = newest.get(index);
        const preview = previews.add(job, index, event);
        if (report?.step === event.step) {
          const tell = () => ({ ...stepProgress(report, at(index)), preview });
          feed.offer({ index, pictured: true, tell });
        }
        return;
      }
      case 'picture': {
        const index = indexOf(event.picture.index);
        newest.delete(index);
        feed.finished(index);
        return;
      }
      case 'represented':
        return;
    }
  };
  return {
    take(event, indexOf) {
      if (events.listeners > 0) take(event, indexOf);
    },
    close: feed.close,
  };
}
