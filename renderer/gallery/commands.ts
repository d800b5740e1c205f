import type { Command } from '../state/commands.svelte.ts';
import type { Gallery } from './gallery.svelte.ts';

const views = ['gallery'] as const;
const RATINGS = [0, 1, 2, 3, 4, 5] as const;

/** What the page knows and a command may need. */
export interface GalleryPage {
  readonly focusSearch: () => void;
  /** Whether the person marked text: Ctrl C then means that. */
  readonly hasTextSelection: () => boolean;
  readonly copyText: (text: string) => Promise<void>;
}

/** What can be done by key in the Gallery view. */
export function galleryCommands(gallery: Gallery, page: GalleryPage): readonly Command[] {
  return [...lookCommands(gallery, page), ...editCommands(gallery), ...copyCommands(gallery, page)];
}

function lookCommands(gallery: Gallery, page: GalleryPage): readonly Command[] {
  const { selection, compare, actions, look } = gallery;
  const view = { group: 'view', views } as const;
  const some = () => selection.count > 0;
  return [
    {
      ...{
        ...view,
        id: 'gallery.open',
        title: 'command.gallery.open',
        key: 'Enter',
        enabled: some,
      },
      run: () => actions.openOnStage(),
    },
    {
      ...{ ...view, id: 'gallery.selectAll', title: 'command.gallery.selectAll', key: 'Ctrl+A' },
      enabled: () => !compare.open,
      run: () => selection.all(),
    },
    {
      ...{ ...view, id: 'gallery.selectNone', title: 'command.gallery.selectNone' },
      ...{ key: 'Ctrl+Shift+A', enabled: some },
      run: () => selection.none(),
    },
    {
      ...{ ...view, id: 'gallery.escape', title: 'command.gallery.escape', key: 'Esc' },
      enabled: () => some() || compare.open,
      run: () => (compare.open ? compare.close() : selection.none()),
    },
    {
      ...{ ...view, id: 'gallery.compare', title: 'command.gallery.compare', key: 'C' },
      enabled: () => compare.canStart(),
      run: () => compare.start(),
    },
    {
      ...{ ...view, id: 'gallery.similar', title: 'command.gallery.similar', key: 'F' },
      enabled: some,
      run: () => actions.similar(),
    },
    {
      ...{ ...view, id: 'gallery.search', title: 'command.gallery.search', key: '/' },
      run: () => page.focusSearch(),
    },
    { ...view, id: 'gallery.grid', title: 'command.gallery.grid', run: () => look.setMode('grid') },
    { ...view, id: 'gallery.list', title: 'command.gallery.list', run: () => look.setMode('list') },
  ];
}

function editCommands(gallery: Gallery): readonly Command[] {
  const { selection, actions } = gallery;
  const edit = { group: 'edit', views } as const;
  const some = () => selection.count > 0;
  const alive = () => some() && !gallery.inBin;
  const rate = RATINGS.map((rating): Command => {
    const run = () => void actions.rate(rating);
    const key = String(rating);
    // The comparison has a meaning of its own for 1 to 4.
    const enabled = () => alive() && !gallery.compare.open;
    return {
      ...edit,
      id: `gallery.rate${rating}`,
      title: `command.gallery.rate${rating}`,
      key,
      enabled,
      run,
    };
  });
  return [
    ...rate,
    {
      ...{ ...edit, id: 'gallery.star', title: 'command.gallery.star', key: 'S', enabled: alive },
      run: () => void actions.star(),
    },
    {
      ...{ ...edit, id: 'gallery.tag', title: 'command.gallery.tag', key: 'T', enabled: alive },
      run: () => (gallery.dialog = { kind: 'tag' }),
    },
    {
      ...{ ...edit, id: 'gallery.board', title: 'command.gallery.board', key: 'M', enabled: alive },
      run: () => (gallery.dialog = { kind: 'board' }),
    },
    {
      ...{ ...edit, id: 'gallery.bin', title: 'command.gallery.bin', key: 'Delete' },
      enabled: () => alive() && !gallery.compare.open,
      run: () => void actions.remove(),
    },
    {
      ...{ ...edit, id: 'gallery.restore', title: 'command.gallery.restore' },
      enabled: () => some() && gallery.inBin,
      run: () => void actions.restore(),
    },
    {
      ...{ ...edit, id: 'gallery.purge', title: 'command.gallery.purge', key: 'Shift+Delete' },
      enabled: () => some() && gallery.inBin,
      run: () => (gallery.dialog = { kind: 'purge' }),
    },
    {
      ...{ ...edit, id: 'gallery.drop', title: 'command.gallery.drop', enabled: some },
      run: () => void actions.dropPixels(),
    },
    {
      ...{ ...edit, id: 'gallery.rebuild', title: 'command.gallery.rebuild', enabled: some },
      run: () => void actions.rebuild(),
    },
    {
      ...{ group: 'make', views, id: 'gallery.variations', title: 'command.gallery.variations' },
      ...{ key: 'V', enabled: alive },
      run: () => actions.variations(),
    },
  ];
}

function copyCommands(gallery: Gallery, page: GalleryPage): readonly Command[] {
  const { actions, details } = gallery;
  const edit = { group: 'edit', views } as const;
  return [
    {
      ...{ ...edit, id: 'gallery.copy', title: 'command.gallery.copy', key: 'Ctrl+C' },
      enabled: () => details.row !== null && !page.hasTextSelection(),
      run: () => void actions.copyPicture(),
    },
    {
      ...{ ...edit, id: 'gallery.copyRecipe', title: 'command.gallery.copyRecipe' },
      ...{ key: 'Ctrl+Shift+C', enabled: () => details.detail !== null },
      run: () => void details.copyRecipe(page.copyText),
    },
  ];
}
