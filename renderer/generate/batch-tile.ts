import type { Job } from '#api/jobs';
import type { App } from '../state/app.svelte.ts';
import { sentenceOf } from '../state/errors.ts';
import { nextIndex, pictureAt } from '../state/jobs.svelte.ts';
import { pictureFraction } from '../state/live.svelte.ts';
import type { Batch } from './batch.svelte.ts';

/** What a place in the batch strip shows. */
export interface BatchTile {
  /** `open` is not made yet; of `failed` nothing is made because its job ended over it. */
  readonly kind: 'kept' | 'open' | 'failed' | 'binned' | 'deleted';
  readonly label: string;
  /** Address of the thumbnail. */
  readonly src: string | null;
  readonly progress?: number;
}

/** The place of a job's picture in the strip, in words too. */
export function tileOf(
  { i18n, live }: Pick<App, 'i18n' | 'live'>,
  batch: Pick<Batch, 'row' | 'thumb'>,
  job: Job,
  index: number,
): BatchTile {
  const { t } = i18n;
  const at = { index: index + 1, seed: String(job.settings.seed + index) };
  const id = pictureAt(job, index);
  if (job.deleted.includes(index)) {
    return { kind: 'deleted', label: t('batch.tileDeleted', at), src: null };
  }
  if (id !== null) {
    const row = batch.row(id);
    const src = batch.thumb(id);
    // Until its row is read, what was seen of its decoding stays.
    if (row === null) return { kind: 'open', label: t('batch.tile', at), src };
    if (row.deletedAt !== null) return { kind: 'binned', label: t('batch.tileBinned', at), src };
    return { kind: 'kept', label: t('batch.tile', at), src };
  }
  if (job.error !== null && job.state !== 'paused' && index === nextIndex(job)) {
    const why = sentenceOf(i18n, job.error.code);
    return { kind: 'failed', label: t('batch.tileFailed', { ...at, why }), src: null };
  }
  const picture = live.get(job.id, index);
  if (picture === null) return { kind: 'open', label: t('batch.tileWaiting', at), src: null };
  const { done, total } = picture;
  const label = t('batch.tileLive', { ...at, step: done, total });
  const tile = { kind: 'open', label, src: null } as const;
  return job.state === 'running' ? { ...tile, progress: pictureFraction(picture) } : tile;
}
