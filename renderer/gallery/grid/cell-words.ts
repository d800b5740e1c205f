import type { ImageRow } from '#api/images';
import type { I18n } from '../../state/i18n.svelte.ts';

/** The name of a cell: recipe words, never a guess at what is in the picture. */
export function cellName(i18n: I18n, id: number, row: ImageRow | undefined): string {
  if (row === undefined) return i18n.t('gallery.cellLoading', { id: String(id) });
  const { t } = i18n;
  const stars =
    row.rating === 0 ? t('gallery.unratedCell') : t('gallery.stars', { count: row.rating });
  const words = [
    row.importedAs === undefined
      ? t('gallery.cell', { seed: String(row.seed), guidance: row.guidance, stars })
      : t('gallery.cellFile', { file: row.importedAs, stars }),
    ...(row.starred ? [t('gallery.cellStarred')] : []),
    ...(row.file === 'missing' ? [t('gallery.cellMissing')] : []),
    ...(row.file === 'dropped' ? [t('gallery.cellDropped')] : []),
  ];
  return words.join(i18n.language === 'ja' ? '、' : ', ');
}

/** What a picture is called for short: its seed, or the file that it came from. */
export function shortName(row: ImageRow | null | undefined): string {
  return row ? (row.importedAs ?? String(row.seed)) : '';
}
