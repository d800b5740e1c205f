/** What a key press is made of, as the browser tells it. */
export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  /** The key is held, and this press is one that the keyboard adds. */
  readonly repeat?: boolean;
}

const MODIFIERS = ['Control', 'Meta', 'Alt', 'Shift', 'AltGraph', 'CapsLock'];
const NAMES: Readonly<Record<string, string>> = {
  ' ': 'Space',
  ArrowLeft: 'Left',
  ArrowRight: 'Right',
  ArrowUp: 'Up',
  ArrowDown: 'Down',
  Escape: 'Esc',
};

/**
 * The combination as it is written in the interface and stored: "Ctrl+Shift+Z". The command key of
 * a Mac counts as Ctrl. Null for a modifier alone.
 */
export function comboOf(press: KeyPress): string | null {
  if (MODIFIERS.includes(press.key)) return null;
  const letter = press.key.length === 1;
  const name = NAMES[press.key] ?? (letter ? press.key.toUpperCase() : press.key);
  // Shift makes another sign of some keys ("?"); only where it does not is it part of the name.
  const shift = press.shiftKey && (!letter || /[A-Z]/.test(name) || press.key === ' ');
  return [
    ...(press.ctrlKey || press.metaKey ? ['Ctrl'] : []),
    ...(press.altKey ? ['Alt'] : []),
    ...(shift ? ['Shift'] : []),
    name,
  ].join('+');
}

/** Whether a combination would also be typed into a field or used by a control: no Ctrl, no F key. */
export function isSingle(combo: string): boolean {
  return !/^(Ctrl|Alt)\+/.test(combo) && !/^(Shift\+)?F\d+$/.test(combo);
}
