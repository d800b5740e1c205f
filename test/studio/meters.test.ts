import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StudioEvent, StudioStatus } from '#api/studio';
import { createEventHub } from '#studio/events';
import { startMeters } from '#studio/meters';

const CALM: StudioStatus = {
  version: '0.1.0',
  state: { kind: 'open' },
  libraryFolder: '/library',
  target: 'cpu-int8',
  cpu: 'a processor',
  memory: { used: 3.81e9, total: 16e9 },
  diskFree: 80.02e9,
  paused: false,
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(listening = true) {
  const hub = createEventHub();
  const told: StudioEvent[] = [];
  const ask = vi.fn(() => Promise.resolve(CALM));
  const publish = (event: StudioEvent) => void told.push(event);
  const meters = startMeters({ publish, listeners: 1 }, ask);
  const unheard = startMeters(hub, ask);
  if (listening) unheard.close();
  else meters.close();
  return { ask, told, close: () => [meters, unheard].forEach((each) => each.close()) };
}
const seconds = (count: number) => vi.advanceTimersByTimeAsync(1000 * count);

test('the meters tell what they show, and only when that changes', async () => {
  const { ask, told, close } = setUp();
  await seconds(5);
  expect(told).toEqual([{ kind: 'status', status: CALM }]);
  // Less than a tenth of a gigabyte is not to be seen.
  ask.mockResolvedValue({ ...CALM, memory: { used: 3.83e9, total: 16e9 }, diskFree: 79.98e9 });
  await seconds(2);
  expect(told).toHaveLength(1);
  const fuller = { ...CALM, diskFree: 79.9e9 };
  ask.mockResolvedValue(fuller);
  await seconds(1);
  const paused = { ...fuller, paused: true };
  ask.mockResolvedValue(paused);
  await seconds(3);
  expect(told.slice(1)).toEqual([
    { kind: 'meters', memory: fuller.memory, diskFree: fuller.diskFree },
    { kind: 'status', status: paused },
  ]);
  close();
  ask.mockResolvedValue(CALM);
  await seconds(3);
  expect(told).toHaveLength(3);
});

test('the meters ask nothing while nobody listens', async () => {
  const { ask, close } = setUp(false);
  await seconds(60);
  expect(ask).not.toHaveBeenCalled();
  close();
});

test('the meters outlive an answer that fails, and do not ask again before it comes', async () => {
  const { ask, told, close } = setUp();
  ask.mockRejectedValueOnce(new Error('closed just now'));
  await seconds(1);
  let answer: (status: StudioStatus) => void = () => undefined;
  ask.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  await seconds(10);
  expect([ask.mock.calls.length, told.length]).toEqual([2, 0]);
  answer(CALM);
  await seconds(1);
  expect(told).toHaveLength(1);
  close();
});
