/** What a number may be. */
export interface NumberLimits {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** The nearest allowed number: within the bounds, on the grid of steps that begins at `min`. */
export function fitNumber(value: number, { min, max, step }: NumberLimits): number {
  if (Number.isNaN(value)) return min;
  const onGrid = min + Math.round((value - min) / step) * step;
  // 0.1 + 0.2: the grid has at most as many decimals as the step.
  const rounded = Number(onGrid.toFixed(decimalsOf(step)));
  return Math.min(max, Math.max(min, rounded));
}

/** Decimals that a step needs: 0.25 has two. */
export function decimalsOf(step: number): number {
  return step.toString().split('.')[1]?.length ?? 0;
}

/** The number that a person typed, in any of the usual forms; null when it is none. */
export function parseNumber(text: string): number | null {
  // Full-width digits come from Japanese keyboards.
  const plain = text
    .normalize('NFKC')
    .replace(/[\s_]/g, '')
    .replace(/,(?=\d{3}(\D|$))/g, '');
  const number = Number(plain.replace(',', '.'));
  return plain === '' || !Number.isFinite(number) ? null : number;
}

/** How far one key press moves: Shift is ten times. A tenth, with Alt, would be less than a step. */
export function strideOf(step: number, keys: { readonly shiftKey: boolean }): number {
  return keys.shiftKey ? step * 10 : step;
}

/** How far so many pixels of a horizontal drag move: Shift is ten times, Alt a tenth. */
export function scrubbed(
  pixels: number,
  step: number,
  { shiftKey, altKey }: { readonly shiftKey: boolean; readonly altKey: boolean },
): number {
  const each = shiftKey ? 10 : altKey ? 0.1 : 1;
  return Math.round((pixels / PIXELS) * each) * step;
}

/** Pixels of a drag that are one step. */
const PIXELS = 4;
