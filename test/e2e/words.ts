import type { Page } from 'playwright-core';

/** Words that stay Latin: the paper's own, units, names of keys, and names that people gave. */
const ALLOWED = new Set(
  [
    'RCG Studio RDM MAGE VQGAN UMAP RGB',
    'PNG ZIP JSON SHA MIT',
    'px s ms min h B kB MB GB TB η',
    'CPU RAM float int',
    'Ctrl Alt Shift Enter Esc Delete Space Left Right Up Down Home End Tab',
    'English Tiny Starter Harbours Stars Mine sky blue At dusk library',
  ].flatMap((words) => words.split(' ')),
);

interface Words {
  readonly text: string;
  readonly place: string;
}

/**
 * What a person reads or hears on the page: texts, names, placeholders. What is marked as another
 * language, as a licence is, and what is set in the font for numbers (paths, hashes), is left out.
 */
function readable(page: Page): Promise<readonly Words[]> {
  return page.evaluate(() => {
    const found: { text: string; place: string }[] = [];
    const foreign = '[lang]:not(html, [lang="ja"]), .num, .mono, kbd, script, style, pre, code';
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const element = node as HTMLElement;
      if (element.closest(foreign)) continue;
      const place = `${element.tagName.toLowerCase()}.${element.className}`;
      const own = [...element.childNodes].filter((child) => child.nodeType === Node.TEXT_NODE);
      const texts = own.map((child) => child.textContent ?? '');
      for (const name of ['aria-label', 'placeholder', 'alt', 'aria-valuetext']) {
        texts.push(element.getAttribute(name) ?? '');
      }
      found.push(...texts.filter((text) => text.trim() !== '').map((text) => ({ text, place })));
    }
    return found;
  });
}

/** Latin words that have no business there. */
export async function strangers(
  page: Page,
  besides: readonly string[] = [],
): Promise<readonly string[]> {
  const words = await readable(page);
  const left = words.flatMap(({ text, place }) => {
    // A folder or an address is what it is in every language.
    const plain = text.replaceAll(/\S*[/\\]\S*/g, '').replaceAll(/\b[0-9a-f]{4,}\b/g, '');
    const latin = plain.match(/[A-Za-z]{2,}/g) ?? [];
    return latin
      .filter((word) => !ALLOWED.has(word) && !besides.includes(word))
      .map((word) => `${word} in “${text.trim()}” (${place})`);
  });
  return [...new Set(left)];
}
