import type { ActionsOf } from '../state/commands.svelte.ts';
import type { GALLERY_COMMANDS } from './command-table.ts';
import type { Gallery } from './gallery.svelte.ts';

/** What the page knows and a command may need. */
export interface GalleryPage {
  readonly focusSearch: () => void;
  /** Whether the person marked text: Ctrl C then means that. */
  readonly hasTextSelection: () => boolean;
  readonly copyText: (text: string) => Promise<void>;
}

/** What the commands of the Gallery view do. */
export function galleryActions(
  gallery: Gallery,
  page: GalleryPage,
): ActionsOf<typeof GALLERY_COMMANDS> {
  const { selection, compare, actions, look, details } = gallery;
  const some = () => selection.count > 0;
  const alive = () => some() && !gallery.inBin;
  const binned = () => some() && gallery.inBin;
  // The comparison has a meaning of its own for 1 to 4.
  const plain = () => alive() && !compare.open;
  const rate = (rating: number) => ({
    enabled: plain,
    run: () => void actions.rate(rating),
  });
  return {
    'gallery.open': { enabled: some, run: () => actions.openOnStage() },
    'gallery.selectAll': { enabled: () => !compare.open, run: () => selection.all() },
    'gallery.selectNone': { enabled: some, run: () => selection.none() },
    'gallery.escape': {
      enabled: () => some() || compare.open,
      run: () => (compare.open ? compare.close() : selection.none()),
    },
    'gallery.compare': { enabled: () => compare.canStart(), run: () => compare.start() },
    'gallery.similar': { enabled: some, run: () => actions.similar() },
    'gallery.parent': {
      enabled: () => details.parent !== null && details.visible,
      // By its name there is no key to hold: it stays until it is asked for again.
      run: () => (details.parentHeld = !details.parentHeld),
      release: () => (details.parentHeld = false),
    },
    'gallery.search': { run: () => page.focusSearch() },
    'gallery.grid': { run: () => look.setMode('grid') },
    'gallery.list': { run: () => look.setMode('list') },
    'gallery.rate0': rate(0),
    'gallery.rate1': rate(1),
    'gallery.rate2': rate(2),
    'gallery.rate3': rate(3),
    'gallery.rate4': rate(4),
    'gallery.rate5': rate(5),
    'gallery.star': { enabled: alive, run: () => void actions.star() },
    'gallery.tag': { enabled: alive, run: () => (gallery.dialog = { kind: 'tag' }) },
    'gallery.note': { enabled: alive, run: () => (gallery.dialog = { kind: 'note' }) },
    'gallery.board': { enabled: alive, run: () => (gallery.dialog = { kind: 'board' }) },
    'gallery.bin': { enabled: plain, run: () => void actions.remove() },
    'gallery.restore': { enabled: binned, run: () => void actions.restore() },
    'gallery.purge': { enabled: binned, run: () => (gallery.dialog = { kind: 'purge' }) },
    'gallery.drop': { enabled: some, run: () => void actions.dropPixels() },
    'gallery.rebuild': { enabled: some, run: () => void actions.rebuild() },
    'gallery.variations': { enabled: alive, run: () => actions.variations() },
    'gallery.copy': {
      enabled: () => details.row !== null && !page.hasTextSelection(),
      run: () => void actions.copyPicture(),
    },
    'gallery.copyRecipe': {
      enabled: () => details.detail !== null,
      run: () => void details.copyRecipe(page.copyText),
    },
  };
}
