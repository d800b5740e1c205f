/** Whether the queue drawer is open; the shell owns it. */
export interface Drawer {
  queue: boolean;
}

/**
 * Moves the focus into a part that opened. The answer is for when it closes: what had the focus has
 * it back, or `home` where that is gone, unless a person has moved on to something else.
 */
export function takeFocus(opened: HTMLElement, home: () => HTMLElement | undefined): () => void {
  const page = opened.ownerDocument;
  const before = page.activeElement;
  opened.focus();
  return () => {
    const now = page.activeElement;
    if (now !== null && now !== page.body && !opened.contains(now)) return;
    const there = before instanceof HTMLElement && before !== page.body && before.isConnected;
    (there ? before : home())?.focus();
  };
}
