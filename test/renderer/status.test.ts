import { expect, onTestFinished, test, vi } from 'vitest';
import type { StudioStatus } from '../../main/api/studio.ts';
import { openApp, until } from './helpers.ts';

async function setUp() {
  const ask = vi.fn<() => Promise<unknown>>().mockResolvedValue({ version: '1' });
  const { app, fake, close } = openApp({}, { 'studio.status': ask });
  onTestFinished(close);
  await until(() => app.status.value !== null);
  return { app, fake, ask };
}

test('the meters are read once, and then follow what is told', async () => {
  const { app, fake, ask } = await setUp();
  expect(app.status.value).toEqual({ version: '1' });
  fake.emit({ kind: 'status', status: { version: '2' } as StudioStatus });
  await until(() => app.status.value?.version === '2');
  fake.emit({ kind: 'meters', memory: { used: 1, total: 2 }, diskFree: 3 });
  await until(() => app.status.value?.diskFree === 3);
  expect(app.status.value).toEqual({ version: '2', memory: { used: 1, total: 2 }, diskFree: 3 });
  expect(ask).toHaveBeenCalledTimes(1);
});

test('the meters keep what was read last when the studio does not answer', async () => {
  const { app, ask } = await setUp();
  ask.mockRejectedValue(new Error('gone'));
  await app.status.refresh();
  expect(app.status.value).toEqual({ version: '1' });
});
