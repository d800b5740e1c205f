import type { GenerateEvent, StepReport } from '#engine/events';
import { decodePixels } from '#engine/pixels';
import type { ModelSizes, Network } from '#engine/types';
import type { LivePreviews, PreviewEvent } from './protocol.ts';

/** What a watcher of a run needs. */
export interface PreviewerOptions {
  readonly network: Network;
  readonly sizes: ModelSizes;
  readonly wanted: LivePreviews;
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
 * included, stay within `share` of the run's time so far.
 */
export function createPreviewer(options: PreviewerOptions): Previewer {
  const { network, sizes, wanted, emit, now } = options;
  const began = now();
  const reports = new Map<number, StepReport>();
  let spent = 0;
  let cost = 0;
  let last = -Infinity;

  const due = (): boolean => {
    const time = now();
    if (time - last < wanted.gapMs) return false;
    return spent + cost <= wanted.share * (time - began);
  };

  return {
    note(event) {
      if (event.kind === 'step') {
        const { report } = event;
        // The last step's picture follows at once, in full.
        if (report.step % wanted.every === 0 && report.step < report.steps) {
          // A Map keeps the place of a key: the picture that was shown longest ago stays first.
          reports.set(report.index, report);
        }
      }
      if (event.kind === 'picture') reports.delete(event.picture.index);
    },
    async between() {
      const [report] = reports.values();
      if (report === undefined || !due()) return;
      reports.delete(report.index);
      const start = now();
      const image = await decodePixels({ network, sizes, tokens: report.sampled });
      const end = now();
      last = end;
      spent += end - start;
      cost = end - start;
      const { index, step } = report;
      emit({ kind: 'preview', index, step, image, size: sizes.imageSize, ms: end - start });
    },
  };
}
