import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Selection } from '../../renderer/gallery/grid/selection.svelte.ts';

function setUp(count = 10) {
  let order = Array.from({ length: count }, (_, index) => 100 + index);
  const selection = new Selection(() => order);
  const chosen = () => [...selection.ids].sort((a, b) => a - b).map((id) => id - 100);
  const change = (next: readonly number[]) => {
    const before = order;
    order = [...next];
    selection.follow(before, (id) => order.indexOf(id));
  };
  return { selection, chosen, change };
}

describe('a selection', () => {
  test('is one picture after a click or an arrow', () => {
    const { selection, chosen } = setUp();
    selection.click(3);
    selection.move(4);
    expect(chosen()).toEqual([4]);
    expect(selection.current).toBe(104);
  });

  test('grows by Ctrl and Shift', () => {
    const { selection, chosen } = setUp();
    selection.click(2);
    selection.click(5, { ctrl: true });
    expect(chosen()).toEqual([2, 5]);
    selection.click(7, { shift: true });
    expect(chosen()).toEqual([5, 6, 7]);
    selection.click(1, { shift: true, ctrl: true });
    expect(chosen()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('grows by Space, which keeps what was selected in passing', () => {
    const { selection, chosen } = setUp();
    selection.move(2);
    selection.toggle();
    selection.move(3);
    selection.move(4);
    expect(chosen()).toEqual([2]);
    expect(selection.current).toBe(104);
    selection.toggle();
    expect(chosen()).toEqual([2, 4]);
    selection.toggle();
    expect(chosen()).toEqual([2]);
  });

  test('follows Shift with arrows from where it began', () => {
    const { selection, chosen } = setUp();
    selection.move(5);
    selection.move(6, { shift: true });
    selection.move(7, { shift: true });
    selection.move(4, { shift: true });
    expect(chosen()).toEqual([4, 5]);
  });

  test('takes all, and lets all go', () => {
    const { selection, chosen } = setUp(3);
    selection.all();
    expect(chosen()).toEqual([0, 1, 2]);
    selection.none();
    expect([selection.count, selection.current]).toEqual([0, null]);
  });

  test('takes a box, and with Ctrl adds it', () => {
    const { selection, chosen } = setUp();
    selection.click(0);
    selection.startBox({ ctrl: true });
    selection.box([4, 5]);
    selection.box([4]);
    expect(chosen()).toEqual([0, 4]);
    selection.startBox({});
    selection.box([7, 8]);
    expect(chosen()).toEqual([7, 8]);
  });

  test('steps through what is selected, round the end', () => {
    const { selection } = setUp();
    selection.click(1);
    selection.click(4, { ctrl: true });
    selection.click(8, { ctrl: true });
    selection.step(1);
    expect(selection.current).toBe(101);
    selection.step(-1);
    expect(selection.current).toBe(108);
  });

  test('lets go of what left, and keeps the focus on its picture', () => {
    const { selection, chosen, change } = setUp();
    selection.click(3);
    selection.click(5, { ctrl: true });
    change([99, 100, 101, 102, 104, 105, 106]);
    expect(chosen()).toEqual([5]);
    expect(selection.focus).toBe(5);
    change([]);
    expect([selection.count, selection.focus]).toEqual([0, 0]);
  });

  test('puts the focus where a deleted picture was', () => {
    const { selection, change } = setUp();
    selection.click(9);
    change([100, 101, 102]);
    expect(selection.focus).toBe(2);
  });

  test('ignores places that are not there', () => {
    const { selection } = setUp(2);
    selection.click(7);
    selection.toggle(9);
    expect(selection.count).toBe(0);
    const none = setUp(0);
    none.selection.move(0);
    none.selection.toggle();
    none.selection.step(1);
    expect(none.selection.count).toBe(0);
  });

  test('never holds what is not there, whatever is done', () => {
    const action = fc.record({
      kind: fc.constantFrom('click', 'move', 'toggle', 'all', 'none'),
      index: fc.integer({ min: 0, max: 12 }),
      ctrl: fc.boolean(),
      shift: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        const { selection, chosen } = setUp(8);
        for (const { kind, index, ctrl, shift } of actions) {
          if (kind === 'click') selection.click(index, { ctrl, shift });
          else if (kind === 'move') selection.move(Math.min(7, index), { ctrl, shift });
          else if (kind === 'toggle') selection.toggle(index);
          else if (kind === 'all') selection.all();
          else selection.none();
          expect(chosen().every((index) => index >= 0 && index < 8)).toBe(true);
          expect(selection.focus).toBeGreaterThanOrEqual(0);
          expect(selection.focus).toBeLessThan(8);
          expect(selection.inOrder()).toHaveLength(selection.count);
        }
      }),
    );
  });
});
