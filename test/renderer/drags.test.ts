import { describe, expect, test, vi } from 'vitest';
import type { ImageRow } from '../../main/api/images.ts';
import { Drags, type Dragged } from '../../renderer/state/drags.ts';
import { OUR_PICTURES } from '../../renderer/state/transfer.ts';

const row = { id: 5, seed: 7, file: 'present', version: 'a1' } as ImageRow;
const dragged = (ids: readonly number[], id = 5): Dragged => ({
  ...{ ids, id, row, origin: 'app://studio', recipe: true },
});

/** What a drag of files shows: their names only when they are dropped. */
function files(...names: string[]): DataTransfer {
  const list = names.map((name) => new File(['x'], name));
  return { types: ['Files'], files: list, getData: () => '' } as unknown as DataTransfer;
}
const OVER = files();

function setUp(answer: (ids: readonly number[]) => Promise<readonly string[]>, host = true) {
  const asked: (readonly number[])[] = [];
  const told: (readonly number[])[] = [];
  const failed: unknown[] = [];
  const drags = new Drags({
    dragOut: host
      ? (ids) => {
          asked.push(ids);
          return answer(ids);
        }
      : null,
    tellMost: (...numbers) => void told.push(numbers),
    failed: (error) => void failed.push(error),
  });
  const start = (what: Dragged) => {
    const texts = new Map<string, string>();
    const labels: unknown[] = [];
    let prevented = false;
    const dataTransfer = { setData: (type: string, text: string) => texts.set(type, text) };
    const preventDefault = () => (prevented = true);
    const event = { dataTransfer, preventDefault } as unknown as DragEvent;
    drags.start(event, what, (data) => void labels.push(data));
    return { texts, labels: labels.length, prevented };
  };
  return { drags, asked, told, failed, start };
}
const named = (ids: readonly number[]) => Promise.resolve(ids.map((id) => `tiny-${id}.png`));

describe('a drag of several pictures', () => {
  test('is the system’s own where the host can, with the one under the pointer first', async () => {
    const { drags, asked, told, start } = setUp(named);
    expect(start(dragged([3, 5, 8]))).toMatchObject({ prevented: true, labels: 0 });
    expect([asked, told]).toEqual([[[5, 3, 8]], []]);
    expect([drags.bringsPictures(OVER), drags.bringsFiles(OVER)]).toEqual([true, false]);
    await Promise.resolve();
    const drop = files('tiny-5.png', 'tiny-3.png', 'tiny-8.png');
    expect([drags.bringsPictures(drop), drags.unpack(drop)]).toEqual([true, [3, 5, 8]]);
    drags.letGo();
    expect([drags.bringsPictures(drop), drags.bringsFiles(drop)]).toEqual([false, true]);
    expect(drags.unpack(drop)).toEqual([]);
  });

  test('brings all of them within the window, and at most a hundred files to others', () => {
    const ids = Array.from({ length: 250 }, (_, index) => index + 1);
    const { drags, asked, told, start } = setUp(named);
    start(dragged(ids, 240));
    expect(asked[0]).toHaveLength(100);
    expect(asked[0]?.slice(0, 3)).toEqual([240, 1, 2]);
    expect(told).toEqual([[100, 250]]);
    expect(drags.unpack(OVER)).toEqual(ids);
  });

  test('in a browser has one file, and says so', () => {
    const { drags, asked, start } = setUp(named, false);
    const { texts, labels, prevented } = start(dragged([3, 5]));
    expect([labels, prevented, asked]).toEqual([1, false, []]);
    expect(texts.get(OUR_PICTURES)).toBe('3 5');
    expect(texts.get('DownloadURL')).toBe('image/png:7-5.png:app://studio/images/5/full?v=a1');
    expect(drags.bringsPictures(OVER)).toBe(false);
  });

  test.each([true, false])('and of one has its file and no label, host or not: %s', (host) => {
    const { asked, start } = setUp(named, host);
    const { texts, labels, prevented } = start(dragged([5]));
    expect([labels, prevented, asked]).toEqual([0, false, []]);
    expect(texts.has('DownloadURL')).toBe(true);
  });

  test('that the host cannot begin is told', async () => {
    const error = new Error('full disk');
    const { failed, start } = setUp(() => Promise.reject(error));
    start(dragged([3, 5]));
    await vi.waitFor(() => expect(failed).toEqual([error]));
  });

  test('does nothing without a transfer', () => {
    const { drags, asked } = setUp(named);
    drags.start({ dataTransfer: null } as DragEvent, dragged([3, 5]), () => {});
    expect(asked).toEqual([]);
    expect([drags.bringsPictures(null), drags.bringsFiles(null)]).toEqual([false, false]);
  });
});

describe('files of others', () => {
  test('are not taken for ours when the end of our drag was not seen', async () => {
    const { drags, start } = setUp(named);
    start(dragged([3, 5]));
    await Promise.resolve();
    const other = files('holiday.png');
    expect([drags.bringsPictures(other), drags.bringsFiles(other)]).toEqual([false, true]);
    expect(drags.unpack(other)).toEqual([]);
    const mixed = files('tiny-3.png', 'holiday.png');
    expect([drags.bringsPictures(mixed), drags.bringsFiles(mixed)]).toEqual([false, true]);
  });

  test('are not ours when names come after the drag is over', async () => {
    const answer = Promise.withResolvers<readonly string[]>();
    const { drags, start } = setUp(() => answer.promise);
    start(dragged([3, 5]));
    drags.letGo();
    answer.resolve(['tiny-3.png']);
    await answer.promise;
    expect(drags.bringsFiles(files('tiny-3.png'))).toBe(true);
  });

  test('are not ours when another drag began before names came', async () => {
    const first = Promise.withResolvers<readonly string[]>();
    const answers = [first.promise, Promise.resolve(['tiny-8.png', 'tiny-9.png'])];
    const { drags, start } = setUp(() => answers.shift() ?? Promise.reject(new Error('none')));
    start(dragged([3, 5]));
    start(dragged([8, 9], 8));
    first.resolve(['tiny-3.png', 'tiny-5.png']);
    await vi.waitFor(() => expect(drags.unpack(files('tiny-8.png'))).toEqual([8, 9]));
    expect(drags.unpack(files('tiny-3.png'))).toEqual([]);
  });
});
