// Text search. What is indexed and what is asked for go through the same cutting into words, so
// that no sign in either has a meaning of its own to FTS5.

/** Longer questions are cut: nobody types more, and each word costs a look-up. */
const MAX_WORDS = 16;

/** Scripts written without spaces: each character is a word, and a run of them a phrase. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}ー]/gu;
/** What FTS5 is told to keep as parts of words. Marks stay with their letters. */
const WORD = /[\p{L}\p{N}\p{Co}\p{So}\p{M}]+/gu;
const SOLID = /[\p{L}\p{N}\p{Co}\p{So}]/u;

/** Text as it is given to the index: its words, apart from each other by spaces. */
export function indexedText(text: string): string {
  return cut(text).join(' ');
}

/** A word asked for. */
export interface Word {
  /** FTS5's form of it: a phrase whose last word may go on. */
  readonly match: string;
  /** The seed that it names, when it is a number. */
  readonly seed: number | null;
}

/** The words of a question; none when it has nothing to look for. Never throws. */
export function queryWords(text: string): readonly Word[] {
  return text
    .split(/\s+/u)
    .map((part) => ({ part, words: cut(part) }))
    .filter(({ words }) => words.length > 0)
    .slice(0, MAX_WORDS)
    .map(({ part, words }) => ({ match: `"${words.join(' ')}"*`, seed: seedOf(part) }));
}

/** Tags and board names that differ only in case or in their Unicode form are the same. */
export function nameKey(name: string): string {
  return name.toWellFormed().normalize('NFKC').trim().toLowerCase();
}

function cut(text: string): readonly string[] {
  const spaced = text.toWellFormed().normalize('NFKC').replace(UNSPACED, ' $& ');
  return (spaced.match(WORD) ?? []).filter((word) => SOLID.test(word));
}

function seedOf(part: string): number | null {
  if (!/^\d{1,16}$/.test(part)) return null;
  const seed = Number(part);
  return Number.isSafeInteger(seed) ? seed : null;
}
