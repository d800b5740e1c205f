import type { TagCount } from '#api/gallery';

const SEPARATOR = /[,、，]/;
const KNOWN = 30;

/** Tags that differ only in case or in their Unicode form are the same to the library. */
const keyOf = (tag: string): string => tag.normalize('NFKC').trim().toLowerCase();

/** The tags that a line names, each once, in the order in which they come. */
export function tagsOf(text: string): readonly string[] {
  const byKey = new Map<string, string>();
  for (const tag of text.split(SEPARATOR).map((part) => part.trim())) {
    if (tag !== '' && !byKey.has(keyOf(tag))) byKey.set(keyOf(tag), tag);
  }
  return [...byKey.values()];
}

/** Tags in use that go on with what is being typed, the last of the line. */
export function suggestions(known: readonly TagCount[], text: string): readonly TagCount[] {
  const typed = keyOf(text.split(SEPARATOR).at(-1) ?? '');
  const taken = new Set(tagsOf(text).map(keyOf));
  const fits = ({ name }: TagCount) => keyOf(name).includes(typed) || taken.has(keyOf(name));
  return known.filter(fits).slice(0, KNOWN);
}

/** Whether a line names a tag, however it is written. */
export function names(text: string, tag: string): boolean {
  return tagsOf(text).some((one) => keyOf(one) === keyOf(tag));
}

/**
 * The line with a tag in use taken into it, or out of it again. It takes the place of what was
 * being typed, which was only the way to it.
 */
export function toggled(text: string, tag: string): string {
  if (names(text, tag)) {
    return line(tagsOf(text).filter((one) => keyOf(one) !== keyOf(tag)));
  }
  const parts = text.split(SEPARATOR);
  const typed = keyOf(parts.at(-1) ?? '');
  const rest = keyOf(tag).includes(typed) ? parts.slice(0, -1) : parts;
  return line([...tagsOf(rest.join(',')), tag]);
}

/** Ends with a comma, so that the next one can be typed at once. */
const line = (tags: readonly string[]): string => tags.map((tag) => `${tag}, `).join('');
