import { describe, expect, test } from 'vitest';
import type { LibraryState } from '../../main/api/library.ts';
import type { StudioStatus } from '../../main/api/studio.ts';
import { statusReport, withoutPaths } from '../../renderer/state/report.ts';

describe('a report', () => {
  test.each([
    '/home/jane/Pictures/x.sqlite is damaged',
    'cannot open "C:\\Users\\Jane Doe\\AppData\\x.dll"',
    'EACCES: /Users/Jane Doe/Library/x',
    '\\\\server\\jane\\x is away',
    '/media/jane/disk/a.png and /srv/jane',
  ])('takes names out of: %s', (text) => {
    expect(withoutPaths(text)).not.toMatch(/jane|doe/i);
  });

  test.each(['9.8 GB', 'libcudnn.so.9 was not found; 9.1 or newer', 'a/b test', 'N/A'])(
    'leaves alone: %s',
    (text) => {
      expect(withoutPaths(text)).toBe(text);
    },
  );
});

describe('the report of a library that is not open', () => {
  const folder = '/mnt/Jane Doe/Pictures of Jane';
  const status = (state: LibraryState): StudioStatus => ({
    version: '0.1.0',
    state,
    libraryFolder: folder,
    target: 'cpu-int8',
    cpu: 'AMD EPYC (2 threads) @ 2.0 GHz',
    memory: { used: 1, total: 2 },
    diskFree: 3,
    paused: false,
  });

  test.each<LibraryState>([
    {
      kind: 'damaged',
      backup: `${folder}/backups/1.db`,
      reason: { code: 'record-unsound', values: { file: 'library.db' } },
      detail: `cannot open ${folder}/library.db: Tree 5 page 12 is broken`,
    },
    {
      kind: 'missing',
      reason: { code: 'library-none', values: { folder } },
      detail: `There is no library in ${folder}.`,
    },
    { kind: 'missing', reason: null, detail: 'Cannot read C:\\Users\\Jane Doe\\library.json.' },
    { kind: 'locked', by: 'a window of \\\\server\\jane\\studio' },
  ])('%j names no folder and nobody', (state) => {
    const report = statusReport(status(state));
    expect(report).not.toMatch(/jane|doe/i);
    expect(JSON.parse(report)).toMatchObject({
      version: '0.1.0',
      state: { kind: state.kind },
      cpu: 'AMD EPYC (2 threads) @ 2.0 GHz',
      diskFree: 3,
    });
  });

  test('keeps what helps', () => {
    const reason = { code: 'record-unsound', values: { file: 'library.db' } } as const;
    const state = { kind: 'damaged', backup: null, reason, detail: 'Tree 5 page 12: bad' } as const;
    const said = JSON.parse(statusReport(status(state))) as { state: object };
    expect(said.state).toEqual({ kind: 'damaged', reason, detail: 'Tree 5 page 12: bad' });
  });

  test('of a studio that has not answered yet is null', () => {
    expect(statusReport(null)).toBe('null');
  });
});
