import type { GenerateEvent, StepReport } from '#engine/events';
import { decodePixels } from '#engine/pixels';
import type { ModelSizes, Network } from '#engine/types';
import type { LivePreviews, PreviewEvent } from './protocol.ts';

/** What previews have cost so far, over all runs of a process: a job is many runs, one a chunk. */
export interface PreviewLedger {
  /** Milliseconds of runs that were watched. */
  run: number;
  /** Milliseconds that decodes took of them. */
  spent: number;
  /** Milliseconds of the last one; 0 before the first. */
  cost: number;
}

export const newLedger = (): PreviewLedger => ({ run: 0, spent: 0, cost: 0 });

/** What a watcher of a run needs. */
export interface PreviewerOptions {
  readonly network: Network;
  readonly sizes: ModelSizes;
  readonly wanted: LivePreviews;
  readonly ledger: PreviewLedger;
  readonly emit: (event: PreviewEvent) => void;
  /** Milliseconds from any fixed point. */
  readonly now: () => number;
}

/** Makes pictures of unfinished tokens, as long as that hardly delays the run. */
export interface Previewer {
  /** Takes note of what the run reports. */
  note(event: GenerateEvent): void;
  /** Between two steps: decodes the newest report if it is due. */
  between(): Promise<void>;
}

/**
 * Latest wins: of the steps that were reported since the last preview, the newest is decoded, the
 * pictures of a chunk taking turns. A decode begins only when all decodes together, this one
 * included, stay within `share` of the time of all runs so far; and not before the middle of a
 * picture, for what is decided until then shows little.
 */
export function createPreviewer(options: PreviewerOptions): Previewer {
  const { network, sizes, wanted, ledger, emit, now } = options;
  const reports = new Map<number, StepReport>();
  let seen = now();
  let last = -Infinity;

  const due = (): boolean => {
    const time = now();
    ledger.run += time - seen;
    seen = time;
    if (time - last < wanted.gapMs) return false;
    return ledger.spent + ledger.cost <= wanted.share * ledger.run;
  };

  return {
    note(event) {
      if (event.kind === 'step') {
        const { report } = event;
        const late = 2 * report.step >= report.steps;
        // The last step's picture follows at once, in full.
        if (late && report.step % wanted.every === 0 && report.step < report.steps) {
          // A Map keeps the place of a key: the picture that was shown longest ago stays first.
          reports.set(report.index, report);
        }
      }
      if (event.kind === 'picture') reports.delete(event.picture.index);
    },
    async between() {
      const isDue = due();
      const [report] = reports.values();
      if (report === undefined || !isDue) return;
      reports.delete(report.index);
      const start = now();
      const image = await decodePixels({ network, sizes, tokens: report.sampled });
      const end = now();
      last = end;
      ledger.spent += end - start;
      ledger.cost = end - start;
      const { index, step } = report;
      emit({ kind: 'preview', index, step, image, size: sizes.imageSize, ms: end - start });
    },
  };
}
