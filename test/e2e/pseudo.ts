import type { Page } from 'playwright-core';

/**
 * Gives the page a language that nobody speaks, from its next load on: English with a mark on
 * every letter and its vowels drawn out until each sentence is 40 % longer. Every sentence of the
 * catalogues is filled by one replacement of its `{places}`: that is where it is changed.
 */
export async function lengthen(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const PLACES = String.raw`\{(\w+)\}`;
    const MARKED = 'áƀćďéƒģĥíĵķĺḿńóṕɋŕśťúṽŵẋýź';
    const marked = (letter: string): string => {
      const low = MARKED[letter.toLowerCase().charCodeAt(0) - 97] ?? letter;
      return letter === letter.toLowerCase() ? low : low.toUpperCase();
    };
    const longer = (sentence: string): string => {
      const letters = sentence
        .split(/(\{\w+\})/)
        .map((part, i) => (i % 2 === 0 ? [...part] : [part]));
      let missing = Math.ceil(0.4 * letters.flat().filter((one) => one.length === 1).length);
      let text = '';
      for (const one of letters.flat()) {
        text += /^[a-z]$/i.test(one) ? marked(one) : one;
        if (missing === 0 || !/^[aeiou]$/i.test(one)) continue;
        text += marked(one.toLowerCase());
        missing -= 1;
      }
      return text + marked('o').repeat(missing);
    };
    const replace: unknown = Reflect.get(String.prototype, 'replace');
    if (typeof replace !== 'function') return;
    Object.defineProperty(String.prototype, 'replace', {
      value(this: string, pattern: unknown, by: unknown): unknown {
        const sentence = pattern instanceof RegExp && pattern.source === PLACES;
        const text = String(this);
        return Reflect.apply(replace, sentence ? longer(text) : text, [pattern, by]);
      },
    });
  });
}
