import type { I18n } from '../../state/i18n.svelte.ts';

/** The heading of a day: "Today", "23 Nov"; the year only where it is another. */
export function dayTitle(
  i18n: I18n,
  day: string,
  now: Date,
): { readonly name: string; readonly date: string } {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  // Noon: a day that begins late in spring still is that day.
  const noon = new Date(year, month - 1, date, 12);
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12);
  const ago = Math.round((today.getTime() - noon.getTime()) / 86_400_000);
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(i18n.language, options).format(noon);
  const name =
    ago === 0
      ? i18n.t('gallery.today')
      : ago === 1
        ? i18n.t('gallery.yesterday')
        : format({ weekday: 'long' });
  const sameYear = year === now.getFullYear();
  return {
    name,
    date: format({ day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) }),
  };
}
