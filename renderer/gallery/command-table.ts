import type { CommandInfo } from '../state/commands.svelte.ts';

const views = ['gallery'] as const;
const view = { group: 'view', views } as const;
const edit = { group: 'edit', views } as const;
const change = { ...edit, writes: true } as const;

/** The commands of the Gallery view: the window knows them before the view is opened. */
export const GALLERY_COMMANDS = [
  { ...view, id: 'gallery.open', title: 'command.gallery.open', key: 'Enter' },
  { ...view, id: 'gallery.selectAll', title: 'command.gallery.selectAll', key: 'Ctrl+A' },
  { ...view, id: 'gallery.selectNone', title: 'command.gallery.selectNone', key: 'Ctrl+Shift+A' },
  { ...view, id: 'gallery.escape', title: 'command.gallery.escape', key: 'Esc' },
  { ...view, id: 'gallery.compare', title: 'command.gallery.compare', key: 'C' },
  { ...view, id: 'gallery.similar', title: 'command.gallery.similar', key: 'F' },
  { ...view, id: 'gallery.parent', title: 'command.parent', key: '\\' },
  { ...view, id: 'gallery.search', title: 'command.gallery.search', key: '/' },
  { ...view, id: 'gallery.grid', title: 'command.gallery.grid' },
  { ...view, id: 'gallery.list', title: 'command.gallery.list' },
  { ...change, id: 'gallery.rate0', title: 'command.gallery.rate0', key: '0' },
  { ...change, id: 'gallery.rate1', title: 'command.gallery.rate1', key: '1' },
  { ...change, id: 'gallery.rate2', title: 'command.gallery.rate2', key: '2' },
  { ...change, id: 'gallery.rate3', title: 'command.gallery.rate3', key: '3' },
  { ...change, id: 'gallery.rate4', title: 'command.gallery.rate4', key: '4' },
  { ...change, id: 'gallery.rate5', title: 'command.gallery.rate5', key: '5' },
  { ...change, id: 'gallery.star', title: 'command.gallery.star', key: 'S' },
  { ...change, id: 'gallery.tag', title: 'command.gallery.tag', key: 'T' },
  { ...change, id: 'gallery.note', title: 'command.gallery.note', key: 'N' },
  { ...change, id: 'gallery.board', title: 'command.gallery.board', key: 'M' },
  { ...change, id: 'gallery.bin', title: 'command.gallery.bin', key: 'Delete' },
  { ...change, id: 'gallery.restore', title: 'command.gallery.restore' },
  { ...change, id: 'gallery.purge', title: 'command.gallery.purge', key: 'Shift+Delete' },
  { ...change, id: 'gallery.drop', title: 'command.gallery.drop' },
  { ...change, id: 'gallery.rebuild', title: 'command.gallery.rebuild' },
  { views, group: 'make', id: 'gallery.variations', title: 'command.gallery.variations', key: 'V' },
  { ...edit, id: 'gallery.copy', title: 'command.gallery.copy', key: 'Ctrl+C' },
  { ...edit, id: 'gallery.copyRecipe', title: 'command.gallery.copyRecipe', key: 'Ctrl+Shift+C' },
] as const satisfies readonly CommandInfo[];
