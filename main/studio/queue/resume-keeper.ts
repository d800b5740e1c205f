import type { History } from '#history/history';
import type { Resume } from '#history/types';
import type { StepReport } from '#worker/protocol';

/** Half-decoded pictures are written down no more often than this. */
const GAP_MS = 500;

/** Keeps how far the pictures of a job have come, so that a kill costs at most half a second. */
export interface ResumeKeeper {
  represented(index: number, representation: Float32Array): void;
  /** May write; throws what the history throws. */
  step(index: number, report: StepReport): void;
  /** The picture has its row: nothing of it needs to be resumed. */
  saved(index: number): void;
  /** Writes down what is known now. */
  flush(): void;
}

export interface ResumeKeeperOptions {
  readonly job: number;
  /** What makes the pictures. */
  readonly maker: Pick<Resume, 'model' | 'target'>;
  /** What an earlier run left, and this one has not come to yet. */
  readonly before: readonly Resume[];
  /** Writes down every step: a crash is expected. */
  readonly eager?: boolean;
  readonly now: () => number;
}

export function createResumeKeeper(
  jobs: Pick<History['jobs'], 'saveResume'>,
  { job, maker, before, eager = false, now }: ResumeKeeperOptions,
): ResumeKeeper {
  const kept = new Map<number, Resume>(before.map((resume) => [resume.index, resume]));
  const representations = new Map<number, Float32Array>();
  let written = now();
  let changed = false;

  const flush = (): void => {
    if (!changed) return;
    jobs.saveResume(job, [...kept.values()]);
    written = now();
    changed = false;
  };
  return {
    represented: (index, representation) => void representations.set(index, representation),
    step(index, report) {
      const representation = representations.get(index);
      // After the last step nothing is left to resume; its picture follows at once.
      if (representation === undefined || report.step >= report.steps) return;
      kept.set(index, {
        ...maker,
        index,
        step: report.step,
        representation,
        tokens: report.tokens,
      });
      changed = true;
      if (eager || now() - written >= GAP_MS) flush();
    },
    saved(index) {
      representations.delete(index);
      if (kept.delete(index)) changed = true;
    },
    flush,
  };
}
