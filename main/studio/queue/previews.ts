import type { Settings } from '#api/settings';
import { encodePreview } from '#pictures/pictures';
import type { LivePreviews, PreviewEvent } from '#worker/protocol';

/**
 * At most ten a second, and never more of a job's time than a person would miss: between two
 * previews a window shows the mosaic, which costs the engine nothing.
 */
const GAP_MS = 100;
const SHARE = 0.02;
/**
 * Pictures whose newest preview is kept, also when their run has ended: a window may still ask for
 * what it was told about. 64 pictures of 256 pixels are 12 MiB.
 */
const KEPT = 64;

/** Previews that a run should make; none when they are off or nobody looks. */
export function wantedPreviews(
  setting: Settings['previews'],
  listeners: number,
): LivePreviews | undefined {
  if (setting === 'off' || listeners === 0) return undefined;
  return { every: setting === 'every' ? 1 : 4, gapMs: GAP_MS, share: SHARE };
}

/** The newest preview of each picture in the making, encoded only when someone asks for it. */
export interface Previews {
  /** Keeps a preview and gives its address. */
  add(job: number, index: number, event: PreviewEvent): string;
  /** The newest PNG of a picture in the making, or null. */
  get(job: number, index: number): Promise<Uint8Array> | null;
}

export function createPreviews(): Previews {
  const kept = new Map<string, { readonly event: PreviewEvent; png?: Promise<Uint8Array> }>();
  return {
    add(job, index, event) {
      const key = `${job}/${index}`;
      kept.delete(key);
      kept.set(key, { event });
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      return `/previews/${key}?step=${event.step}`;
    },
    get(job, index) {
      const entry = kept.get(`${job}/${index}`);
      if (entry === undefined) return null;
      const { image: data, size } = entry.event;
      entry.png ??= encodePreview({ width: size, height: size, data });
      return entry.png;
    },
  };
}
