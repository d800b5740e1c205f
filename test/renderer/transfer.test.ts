import { describe, expect, test, vi } from 'vitest';
import type { ImageRow } from '../../main/api/images.ts';
import { dragPicture } from '../../renderer/generate/drag.ts';
import { presentAddress } from '../../renderer/state/addresses.ts';
import { Hover, placeAbove, placeBeside } from '../../renderer/shared/hover.svelte.ts';
import {
  bringsFiles,
  bringsPictures,
  OUR_PICTURES,
  packPictures,
  pastedFiles,
  unpackPictures,
} from '../../renderer/state/transfer.ts';

/** A drag or paste of these texts and files. */
function transfer(texts: Readonly<Record<string, string>>, files: readonly File[] = []) {
  const types = [...Object.keys(texts), ...(files.length > 0 ? ['Files'] : [])];
  return { types, files, getData: (type: string) => texts[type] ?? '' } as unknown as DataTransfer;
}

describe('a paste', () => {
  const recipe = JSON.stringify({ version: 1, model: { id: 'tiny' }, tokens: 'AAA=' });

  test('of pictures is these', () => {
    const files = [new File(['x'], 'a.png'), new File(['y'], 'b.png')];
    expect(pastedFiles(transfer({ 'text/plain': recipe }, files))).toEqual(files);
  });

  test('of a recipe is a file with it', async () => {
    const [file] = pastedFiles(transfer({ 'text/plain': `\n ${recipe} ` }));
    expect([file?.name, file?.type]).toEqual(['recipe.json', 'application/json']);
    expect(await file?.text()).toBe(recipe);
  });

  test.each(['', 'a poem', '{', '[1, 2]', '{"tokens": "AAA="}', 'null', '{"model": {}}'])(
    'of %j is nothing',
    (text) => {
      expect(pastedFiles(transfer({ 'text/plain': text }))).toEqual([]);
    },
  );

  test('without anything is nothing', () => {
    expect(pastedFiles(null)).toEqual([]);
  });
});

describe('a drag', () => {
  test('brings our pictures, or files, and never both', () => {
    const ours = transfer({ [OUR_PICTURES]: '3 5' }, [new File(['x'], 'a.png')]);
    expect([bringsPictures(ours), bringsFiles(ours)]).toEqual([true, false]);
    const files = transfer({}, [new File(['x'], 'a.png')]);
    expect([bringsPictures(files), bringsFiles(files)]).toEqual([false, true]);
    expect([bringsPictures(null), bringsFiles(null)]).toEqual([false, false]);
  });

  test.each([
    [true, '/images/5/full?v=a1'],
    [false, '/images/5/bare?v=a1'],
  ])('gives other programs the file, with its recipe: %s', (recipe, address) => {
    const texts = new Map<string, string>();
    const data = { setData: (type: string, text: string) => texts.set(type, text) };
    const row = { id: 5, seed: 7, file: 'present', version: 'a1' } as ImageRow;
    const drag = data as unknown as DataTransfer;
    packPictures(drag, [5, 6], { row, origin: 'app://studio', recipe });
    expect(texts.get('DownloadURL')).toBe(`image/png:7-5.png:app://studio${address}`);
    expect(texts.get(OUR_PICTURES)).toBe('5 6');
    texts.clear();
    packPictures(drag, [5], { row: { ...row, file: 'missing' }, origin: 'app://studio', recipe });
    expect([...texts.keys()]).toEqual([OUR_PICTURES]);
  });

  test('gives ids, and none that are no numbers', () => {
    const ids = (text: string) => unpackPictures(transfer({ [OUR_PICTURES]: text }));
    expect(ids('3 5')).toEqual([3, 5]);
    expect(ids('3 x -1 0 1.5 1e300')).toEqual([3]);
    expect(ids('')).toEqual([]);
  });
});

describe('a picture that is pointed at', () => {
  const box = { left: 100, right: 200, top: 100, bottom: 200 };

  test('is shown larger after a rest, and not before', () => {
    vi.useFakeTimers();
    const hover = new Hover(() => true);
    hover.over({ id: 1, box });
    vi.advanceTimersByTime(299);
    expect(hover.shown).toBeNull();
    hover.over({ id: 1, box });
    vi.advanceTimersByTime(1);
    expect(hover.shown?.id).toBe(1);
    hover.over({ id: 2, box });
    expect(hover.shown).toBeNull();
    vi.advanceTimersByTime(300);
    expect(hover.shown?.id).toBe(2);
    hover.leave();
    vi.advanceTimersByTime(1000);
    expect(hover.shown).toBeNull();
    vi.useRealTimers();
  });

  test('is not shown while the device works, nor after a click until the pointer left', () => {
    vi.useFakeTimers();
    let idle = false;
    const hover = new Hover(() => idle);
    hover.over({ id: 1, box });
    vi.advanceTimersByTime(1000);
    expect(hover.shown).toBeNull();
    idle = true;
    hover.over({ id: 2, box });
    hover.dismiss();
    vi.advanceTimersByTime(1000);
    hover.over({ id: 2, box });
    vi.advanceTimersByTime(1000);
    expect(hover.shown).toBeNull();
    hover.leave();
    hover.over({ id: 2, box });
    vi.advanceTimersByTime(300);
    expect(hover.shown?.id).toBe(2);
    vi.useRealTimers();
  });

  test('lies beside its cell and inside the window', () => {
    const window = { width: 1000, height: 600 };
    expect(placeBeside(box, 320, window)).toEqual({ left: 208, top: 8 });
    const right = { left: 800, right: 900, top: 500, bottom: 600 };
    expect(placeBeside(right, 320, window)).toEqual({ left: 472, top: 272 });
    expect(placeBeside(right, 900, window)).toEqual({ left: 8, top: 8 });
    // One of a strip would lie over those beside it.
    const low = { left: 800, right: 840, top: 500, bottom: 540 };
    expect(placeAbove(low, 320, window)).toEqual({ left: 660, top: 172 });
    expect(placeAbove({ ...low, left: 960, right: 1000 }, 320, window).left).toBe(672);
    expect(placeAbove(box, 320, window)).toEqual({ left: 8, top: 8 });
  });
});

describe('a picture of the Generate view', () => {
  test.each([
    ['none', 'bare'],
    ['full', 'full'],
  ] as const)('is dragged with its recipe as the settings say: %s', (exportMetadata, kind) => {
    vi.stubGlobal('window', { location: { origin: 'app://studio' } });
    const texts = new Map<string, string>();
    const dataTransfer = { setData: (type: string, text: string) => texts.set(type, text) };
    const row = { id: 5, seed: 7, file: 'present', version: 'a1' } as ImageRow;
    const app = { settings: { value: { exportMetadata } } } as Parameters<typeof dragPicture>[0];
    dragPicture(app, { dataTransfer } as unknown as DragEvent, row);
    expect(texts.get(OUR_PICTURES)).toBe('5');
    expect(texts.get('text/uri-list')).toBe(`app://studio/images/5/${kind}?v=a1`);
    expect(() => dragPicture(app, { dataTransfer: null } as DragEvent, row)).not.toThrow();
  });

  test('has an address for its larger look only while its file is there', () => {
    const row = { id: 5, file: 'present', version: 'a1' } as ImageRow;
    expect(presentAddress(row)).toBe('/images/5/full?v=a1');
    expect(presentAddress({ ...row, file: 'missing' })).toBeNull();
    expect([presentAddress(null), presentAddress(undefined)]).toEqual([null, null]);
  });
});
