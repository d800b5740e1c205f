import { expect, test } from 'vitest';
import { createEngines } from '#studio/engines';
import { WorkerClient } from '#worker/client';
import { fakeEngines } from '../worker/fake-channel.ts';

const VERIFY = { bundle: '/library/tiny' };
const ANSWER = { kind: 'result', id: 1, method: 'verify', result: { problems: [] } };

/** Engines over processes that do what the test says, and the ids of those that have ended. */
function setUp() {
  const { channel, engines: processes } = fakeEngines();
  const ended: (number | undefined)[] = [];
  const told = () => {
    const made = channel();
    made.onExit(() => ended.push(made.pid));
    return made;
  };
  const engines = createEngines(() => new WorkerClient({ channel: told, graceMs: 1 }), 1);
  return { engines, processes, ended };
}

test('a new idle time takes effect with the next call; what runs comes to its end', async () => {
  const { engines, processes, ended } = setUp();
  const first = engines.main.call('verify', VERIFY);
  engines.setIdle(5);
  engines.setIdle(5);
  const second = engines.main.call('verify', VERIFY);
  expect([processes.length, ended.length]).toEqual([2, 0]);
  processes[0]?.say(ANSWER);
  expect(await first).toEqual({ problems: [] });
  expect(ended).toEqual([1000]);
  processes[1]?.say(ANSWER);
  await second;
  await engines.close();
  expect(ended).toEqual([1000, 1001]);
});

test('closing ends what was replaced while it was busy, as well as the rest', async () => {
  const { engines, ended } = setUp();
  const calls = [5, 10, 15].map((minutes) => {
    const call = engines.main.call('verify', VERIFY).catch((error: unknown) => error);
    engines.setIdle(minutes);
    return call;
  });
  engines.start();
  const side = engines.side.call('verify', VERIFY).catch((error: unknown) => error);
  await engines.close();
  expect(ended.toSorted()).toEqual([1000, 1001, 1002, 1003, 1004]);
  expect(await Promise.all([...calls, side])).toMatchObject(Array(4).fill({ code: 'cancelled' }));
});

test('closing waits for what is ending already', async () => {
  const { engines, ended } = setUp();
  engines.start();
  engines.setIdle(5);
  expect(ended).toEqual([]);
  await engines.close();
  expect(ended).toEqual([1000]);
});

test('nothing starts after closing', async () => {
  const { engines, processes } = setUp();
  await engines.close();
  engines.setIdle(30);
  engines.start();
  await expect(engines.main.call('verify', VERIFY)).rejects.toMatchObject({ code: 'cancelled' });
  await expect(engines.side.call('verify', VERIFY)).rejects.toMatchObject({ code: 'cancelled' });
  await engines.close();
  expect(processes).toEqual([]);
});
