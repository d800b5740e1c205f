import type { MenuItemConstructorOptions as Item } from 'electron';
import type { MenuWord } from './menu-text.ts';

/** What the menu can do beyond what every program's can. */
export interface MenuActions {
  /** Shows a place of the page, such as `#/gallery`. */
  readonly show: (place: string) => void;
  readonly showLibrary: () => void;
  /** The page knows whether a text or the library is meant. */
  readonly step: (way: 'undo' | 'redo') => void;
  readonly showLicences: () => void;
}

/** The words of the menu that Electron has a role of the same name for. */
type Role = Extract<MenuWord, NonNullable<Item['role']>>;

/** The application menu of a platform. Keys beyond the system's own belong to the page. */
export function menuTemplate(
  text: (word: MenuWord) => string,
  platform: string,
  { show, showLibrary, showLicences, step }: MenuActions,
): Item[] {
  const mac = platform === 'darwin';
  const line: Item = { type: 'separator' };
  const roles = (...names: readonly Role[]): Item[] =>
    names.map((role) => ({ role, label: text(role) }));
  const place = (view: MenuWord): Item => ({ label: text(view), click: () => show(`#/${view}`) });
  // The role of that name undoes typing alone. Its key is the page's: the menu only shows it.
  const undoing = (way: 'undo' | 'redo', key: string): Item => ({
    label: text(way),
    accelerator: `CmdOrCtrl+${key}`,
    registerAccelerator: false,
    click: () => step(way),
  });
  const menu = (name: MenuWord, ...submenu: Item[]): Item => ({ label: text(name), submenu });
  const settings: Item = { ...place('settings'), ...(mac ? { accelerator: 'Cmd+,' } : {}) };

  const program: Item = {
    role: 'appMenu',
    submenu: [
      ...roles('about'),
      line,
      settings,
      line,
      ...roles('services'),
      line,
      ...roles('hide', 'hideOthers', 'unhide'),
      line,
      ...roles('quit'),
    ],
  };
  return [
    ...(mac ? [program] : []),
    mac ? menu('file', ...roles('close')) : menu('file', settings, line, ...roles('quit')),
    menu(
      'edit',
      undoing('undo', 'Z'),
      undoing('redo', 'Shift+Z'),
      line,
      ...roles('cut', 'copy', 'paste', 'selectAll'),
    ),
    menu(
      'view',
      ...[place('generate'), place('gallery'), place('models')],
      line,
      ...roles('resetZoom', 'zoomIn', 'zoomOut'),
      line,
      ...roles('togglefullscreen'),
    ),
    { ...menu('window', ...roles('minimize'), ...(mac ? [] : roles('close'))), role: 'window' },
    {
      ...menu(
        'help',
        { label: text('library'), click: showLibrary },
        { label: text('licences'), click: showLicences },
        ...(mac ? [] : [line, ...roles('about')]),
      ),
      role: 'help',
    },
  ];
}
