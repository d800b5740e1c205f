import type { MenuItemConstructorOptions } from 'electron';
import { describe, expect, test } from 'vitest';
import { menuText } from '../../main/electron/menu-text.ts';
import { menuTemplate } from '../../main/electron/menu.ts';

type Item = MenuItemConstructorOptions;

function build(platform: string, language: 'en' | 'ja' = 'en') {
  const calls: string[] = [];
  const menu = menuTemplate(menuText(language, 'en'), platform, {
    show: (place) => void calls.push(place),
    showLibrary: () => void calls.push('library'),
    step: (way) => void calls.push(way),
    showLicences: () => void calls.push('licences'),
  });
  const items = menu.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []));
  return { menu, items, calls };
}
const roles = (items: readonly Item[]) => items.map(({ role }) => role).filter(Boolean);

describe('the menu', () => {
  test.each(['linux', 'win32', 'darwin'])('on %s edits, zooms and ends', (platform) => {
    const { items } = build(platform);
    expect(roles(items)).toEqual(
      expect.arrayContaining(
        ['cut', 'copy', 'paste', 'selectAll', 'resetZoom', 'zoomIn', 'zoomOut'].concat([
          'togglefullscreen',
          'minimize',
          'close',
          'about',
          'quit',
        ]),
      ),
    );
    // Each once, or a key would have two meanings.
    expect(new Set(roles(items)).size).toBe(roles(items).length);
  });

  test('on a Mac has the program’s own menu first', () => {
    const { menu, items } = build('darwin');
    expect(menu[0]?.role).toBe('appMenu');
    expect(roles(items)).toEqual(
      expect.arrayContaining(['services', 'hide', 'hideOthers', 'unhide']),
    );
    expect(items.find(({ label }) => label === 'Settings…')?.accelerator).toBe('Cmd+,');
    expect(roles(build('linux').menu)).toEqual(['window', 'help']);
  });

  test('leads to every view and folder', () => {
    const { items, calls } = build('linux');
    for (const { click } of items) click?.(null as never, undefined, null as never);
    expect(calls).toEqual([
      ...['#/settings', 'undo', 'redo', '#/generate', '#/gallery', '#/models'],
      ...['library', 'licences'],
    ]);
  });

  test('shows the keys of undo and redo, and leaves them to the page', () => {
    for (const platform of ['linux', 'win32', 'darwin']) {
      const { items } = build(platform);
      const keys = items.filter(({ label }) => label === 'Undo' || label === 'Redo');
      expect(keys).toMatchObject([
        { accelerator: 'CmdOrCtrl+Z', registerAccelerator: false },
        { accelerator: 'CmdOrCtrl+Shift+Z', registerAccelerator: false },
      ]);
      // The roles would undo typing alone.
      expect(roles(items)).not.toContain('undo');
    }
  });

  test('offers no way to reload or to look behind the page', () => {
    for (const platform of ['linux', 'win32', 'darwin']) {
      expect(roles(build(platform).items)).not.toContain('reload');
      expect(roles(build(platform).items)).not.toContain('toggleDevTools');
    }
  });

  test('has a word for everything, in both languages', () => {
    const words = (language: 'en' | 'ja') =>
      build('darwin', language).items.filter(({ type }) => type !== 'separator');
    const english = words('en').map(({ label }) => label);
    const japanese = words('ja').map(({ label }) => label);
    expect(english.every((word) => word !== undefined && word !== '')).toBe(true);
    expect(japanese).toHaveLength(english.length);
    expect(japanese.filter((word, i) => word === english[i])).toEqual([]);
  });
});

test.each([
  ['system', 'ja-JP', 'ファイル'],
  ['system', 'en-GB', 'File'],
  ['system', 'de', 'File'],
  ['en', 'ja', 'File'],
  ['ja', 'en', 'ファイル'],
] as const)('language %s on a %s system says %s', (language, locale, word) => {
  expect(menuText(language, locale)('file')).toBe(word);
});
