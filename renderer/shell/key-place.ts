import type { KeyPlace } from '../state/commands.svelte.ts';

const NO_TEXT = ['checkbox', 'radio', 'range', 'button', 'submit', 'file', 'color'];

const ACTIVATED = 'button, a[href], summary, select, input, [role="dialog"], [role="menu"]';

/** What the place of a key press means for commands. */
export function keyPlace(target: EventTarget | null): KeyPlace {
  if (!(target instanceof HTMLElement)) return { typing: false, activates: false, lends: true };
  // With nothing focused the keys belong to the view.
  const body = target === document.body || target === document.documentElement;
  return {
    typing: takesText(target),
    activates: target.closest(ACTIVATED) !== null,
    lends: body || target.closest('[data-keys]') !== null,
  };
}

/** Whether a key press is on a button. */
export function isButton(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button') !== null;
}

function takesText(target: HTMLElement): boolean {
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && !NO_TEXT.includes(target.type);
}
