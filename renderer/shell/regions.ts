/** The regions of the page in reading order: what F6 goes through. */
function regionsOf(document: Document): readonly HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(
    (region) => region.getClientRects().length > 0,
  );
}

/** Moves the focus to the next region, or the one before; answers its name. */
export function cycleRegion(document: Document, by: 1 | -1): void {
  const regions = regionsOf(document);
  // A region may lie in another: the focus is in the innermost, which comes last.
  const at = regions.findLastIndex((region) => region.contains(document.activeElement));
  const next = regions[nextIndex(at, by, regions.length)];
  if (next === undefined) return;
  next.focus();
}

/** Goes round; from outside all regions, forward leads to the first and back to the last. */
export function nextIndex(at: number, by: 1 | -1, count: number): number {
  if (count === 0) return -1;
  if (at < 0) return by > 0 ? 0 : count - 1;
  return (at + by + count) % count;
}
