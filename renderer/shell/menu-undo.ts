import type { App } from '../state/app.svelte.ts';
import { onMenu } from '../state/host.ts';
import { keyPlace } from './key-place.ts';

/** The text that a person types in, if any. */
export interface TypedText {
  readonly typing: () => boolean;
  readonly step: (way: 'undo' | 'redo') => void;
}

/** Lets the menu's Undo and Redo do what their keys do: in a text its own, elsewhere the studio's. */
export function followMenu(app: App, text: TypedText): void {
  const step = (way: 'undo' | 'redo', studio: () => Promise<void>) => () => {
    if (text.typing()) text.step(way);
    else void studio();
  };
  onMenu(step('undo', app.undoNow), step('redo', app.redoNow));
}

/** The text with the focus in a page. */
export function textOf(page: Document): TypedText {
  return {
    typing: () => keyPlace(page.activeElement).typing,
    // The only way that a page has to undo typing.
    step: (way) => void page.execCommand(way),
  };
}
