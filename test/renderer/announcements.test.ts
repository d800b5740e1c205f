import { afterEach, describe, expect, test, vi } from 'vitest';
import { Generate } from '../../renderer/generate/generate.svelte.ts';
import type { Job } from '../../main/api/jobs.ts';
import { job, openApp, until } from './helpers.ts';

afterEach(() => void vi.restoreAllMocks());

async function setUp(before: readonly Job[] = []) {
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const { app, fake, close } = openApp();
  fake.queue.jobs = [...before];
  const generate = new Generate(app, async () => {});
  await until(() => app.events.connection === 'open');
  await until(() => app.jobs.list.length === before.length);
  /** The queue is so at that second. */
  const at = async (second: number, ...jobs: readonly Job[]) => {
    clock.mockReturnValue(second * 1000);
    const known = app.jobs.list;
    fake.emit({ kind: 'jobs', jobs: [...jobs], paused: false, trouble: null, interrupted: null });
    await until(() => app.jobs.list !== known);
  };
  return { app, generate, at, close };
}

const running = job({ id: 1, state: 'running', total: 16 });
const done = job({ id: 1, state: 'done', total: 16 });

describe('the end of a job', () => {
  test.each([
    [0.2, '16 images saved, 1 second', '画像 16 枚を保存しました、1 秒'],
    [9.4, '16 images saved, 9 seconds', '画像 16 枚を保存しました、9 秒'],
    [60, '16 images saved, 1 minute', '画像 16 枚を保存しました、1 分'],
    [125, '16 images saved, 2 minutes 5 seconds', '画像 16 枚を保存しました、2 分 5 秒'],
    [7265, '16 images saved, 2 hours 1 minute', '画像 16 枚を保存しました、2 時間 1 分'],
  ])('after %d seconds is told with its time', async (seconds, english, japanese) => {
    for (const [language, words] of [
      ['en', english],
      ['ja', japanese],
    ] as const) {
      const { app, at, close } = await setUp();
      app.i18n.language = language;
      await at(100, running);
      await at(100 + seconds, done);
      expect(app.announcer.politeText).toBe(words);
      await close();
    }
  });

  test('does not count the time for which it waited', async () => {
    const { app, generate, at, close } = await setUp();
    await at(10, running);
    await at(14, job({ ...running, state: 'queued' }));
    await at(500, job({ ...running, images: [1], indexes: [0] }));
    await at(505, done);
    expect(generate.ended).toEqual({ count: 16, time: '9 seconds' });
    await at(510, done, job({ id: 2, state: 'running', total: 1 }));
    expect(generate.ended).toBeNull();
    await at(512, done, job({ id: 2, state: 'done', total: 1 }));
    expect(app.announcer.politeText).toBe('1 image saved, 2 seconds');
    await close();
  });

  test.each([
    ['ran before the window was open', [running], running],
    ['had pictures from before', [], job({ ...running, images: [1], indexes: [0] })],
    ['was half made', [], job({ ...running, halfMade: { index: 0, step: 3 } })],
  ])('of one that %s says no time that was not measured', async (_, before, seen) => {
    const { app, generate, at, close } = await setUp(before);
    await at(1, seen);
    await at(5, done);
    expect(app.announcer.politeText).toBe('16 images saved');
    expect(generate.ended).toEqual({ count: 16, time: null });
    await close();
  });
});
