import type { ImageRow } from '#api/types';
import type { I18n } from '../../state/i18n.svelte.ts';

/** The name of a cell: recipe words, never a guess at what is in the picture. */
export function cellName(i18n: I18n, id: number, row: ImageRow | undefined): string {
  if (row === undefined) return i18n.t('gallery.cellLoading', { id: String(id) });
  const { t } = i18n;
  const stars =
    row.rating === 0 ? t('gallery.unratedCell') : t('gallery.stars', { count: row.rating });
  const words = [
    t('gallery.cell', { seed: String(row.seed), guidance: row.guidance, stars }),
    ...(row.starred ? [t('gallery.cellStarred')] : []),
    ...(row.file === 'missing' ? [t('gallery.cellMissing')] : []),
    ...(row.file === 'dropped' ? [t('gallery.cellDropped')] : []),
  ];
  return words.join(i18n.language === 'ja' ? '、' : ', ');
}

/** Name of the file that a picture is dragged out as. */
export function fileName(row: Pick<ImageRow, 'seed' | 'id'>): string {
  return `${row.seed}-${row.id}.png`;
}
