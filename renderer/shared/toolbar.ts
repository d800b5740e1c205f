/**
 * What Tab stops at in a toolbar. A slider or a text needs the arrows for itself: it keeps a stop of
 * its own.
 */
const CONTROLS = 'button, a[href], input[type="radio"]';

/** A control, or all radio buttons of a group. */
type Item = readonly HTMLElement[];

/** The item that a key leads to; null when the key is none of a toolbar's. Arrows go round. */
export function itemAfter(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (key === 'ArrowRight') return (at + 1) % count;
  // From the bar itself, back leads to the last one.
  return key === 'ArrowLeft' ? (Math.max(at, 0) + count - 1) % count : null;
}

/**
 * One tab stop for a row of controls, as an attachment: arrows walk it, Home and End lead to its
 * ends, and Tab comes back to where it was left. Within a group of radio buttons the arrows choose,
 * and lead on at the group's ends.
 */
export function toolbar(bar: HTMLElement): () => void {
  let last: HTMLElement | null = null;

  const arrange = (): void => {
    const items = itemsOf(bar);
    const stop = items.find((item) => last !== null && item.includes(last)) ?? items[0];
    for (const item of items) {
      const index = item === stop ? 0 : -1;
      // What is written is observed.
      for (const control of item) if (control.tabIndex !== index) control.tabIndex = index;
    }
  };
  const onfocusin = ({ target }: FocusEvent): void => {
    if (!(target instanceof HTMLElement) || !target.matches(CONTROLS)) return;
    last = target;
    arrange();
  };
  const onkeydown = (event: KeyboardEvent): void => {
    const { target, key } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey || !(target instanceof HTMLElement)) return;
    const items = itemsOf(bar);
    const at = items.findIndex((item) => item.includes(target));
    // A menu that is open lies in the bar too, and has the keys for itself.
    if (at < 0 && target !== bar) return;
    const next = itemAfter(key, at, items.length);
    if (next === null || staysInside(items[at] ?? [], target, key)) return;
    event.preventDefault();
    entryOf(items[next] ?? [], key)?.focus();
  };

  const observer = new MutationObserver(arrange);
  observer.observe(bar, {
    childList: true,
    subtree: true,
    attributeFilter: ['disabled', 'tabindex'],
  });
  bar.addEventListener('focusin', onfocusin);
  bar.addEventListener('keydown', onkeydown);
  arrange();
  return () => {
    observer.disconnect();
    bar.removeEventListener('focusin', onfocusin);
    bar.removeEventListener('keydown', onkeydown);
  };
}

function itemsOf(bar: HTMLElement): readonly Item[] {
  const items: HTMLElement[][] = [];
  for (const control of bar.querySelectorAll<HTMLElement>(CONTROLS)) {
    if (control.matches(':disabled') || !control.checkVisibility()) continue;
    const before = items.at(-1);
    if (before?.[0] !== undefined && sameGroup(before[0], control)) before.push(control);
    else items.push([control]);
  }
  return items;
}

function sameGroup(a: HTMLElement, b: HTMLElement): boolean {
  return a instanceof HTMLInputElement && b instanceof HTMLInputElement && a.name === b.name;
}

/** Whether an arrow leads to another radio button of the same group. */
function staysInside(item: Item, from: HTMLElement, key: string): boolean {
  if (key === 'ArrowRight') return from !== item.at(-1) && item.length > 1;
  return key === 'ArrowLeft' && from !== item[0] && item.length > 1;
}

/** Where an item is entered: at the chosen radio button, or at the end that one comes from. */
function entryOf(item: Item, key: string): HTMLElement | undefined {
  const chosen = item.find((control) => control instanceof HTMLInputElement && control.checked);
  return chosen ?? item.at(key === 'ArrowLeft' ? -1 : 0);
}
