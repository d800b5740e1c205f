import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Events } from '../../renderer/state/events.svelte.ts';
import { Status } from '../../renderer/state/status.svelte.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';

/** A window that can be hidden. */
class Page extends EventTarget {
  hidden = false;
  hide(hidden: boolean) {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(page = new Page()) {
  const ask = vi.fn<() => Promise<unknown>>().mockResolvedValue({ version: '1' });
  const studio = { studio: { status: ask } } as unknown as StudioClient;
  const status = new Status(studio, new Events(studio));
  const ending = new AbortController();
  status.run(page as unknown as Document, ending.signal);
  return { page, ask, status, end: () => ending.abort() };
}

describe('the meters', () => {
  test('are read once a second while the window can be seen', async () => {
    const { ask, end } = setUp();
    await vi.advanceTimersByTimeAsync(999);
    expect(ask).toHaveBeenCalledTimes(0);
    await vi.advanceTimersByTimeAsync(2001);
    expect(ask).toHaveBeenCalledTimes(3);
    end();
    await vi.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(3);
  });

  test('rest with no timer while it is hidden, and are read at once when it is seen again', async () => {
    const { page, ask, end } = setUp();
    page.hide(true);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ask).toHaveBeenCalledTimes(0);
    page.hide(false);
    expect(ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(ask).toHaveBeenCalledTimes(2);
    end();
    page.hide(true);
    page.hide(false);
    expect([ask.mock.calls.length, vi.getTimerCount()]).toEqual([2, 0]);
  });

  test('of a window that opens hidden wait', async () => {
    const page = new Page();
    page.hidden = true;
    const { ask, end } = setUp(page);
    await vi.advanceTimersByTimeAsync(5000);
    expect([ask.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
    end();
  });

  test('keep what was read last when the studio does not answer', async () => {
    const { ask, status, end } = setUp();
    await vi.advanceTimersByTimeAsync(1000);
    ask.mockRejectedValue(new Error('gone'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(status.value).toEqual({ version: '1' });
    end();
  });
});
