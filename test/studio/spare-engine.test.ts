import { describe, expect, test } from 'vitest';
import { StudioError } from '#api/errors';
import type { CallOptions } from '#worker/client';
import type { MethodName, Methods } from '#worker/protocol';
import { shareEngine } from '#studio/spare-engine';
import type { Engine } from '#studio/studio';
import { failure } from './helpers.ts';

type Answer = Methods['doctor']['result'];

/** An engine whose calls wait until the test ends them. */
function slowEngine() {
  const calls: { readonly signal: AbortSignal | undefined; readonly end: () => void }[] = [];
  const engine: Engine = {
    call: <M extends MethodName>(_: M, __: Methods[M]['request'], options?: CallOptions<M>) =>
      new Promise<Methods[M]['result']>((resolve, reject) => {
        const signal = options?.signal;
        const stop = () => reject(new StudioError('cancelled', 'Cancelled.'));
        signal?.addEventListener('abort', stop, { once: true });
        calls.push({ signal, end: () => resolve({} as Answer as Methods[M]['result']) });
      }),
  };
  return { calls, ...shareEngine(engine, 5) };
}

const until = (ready: () => boolean) => expect.poll(ready, { interval: 2 }).toBe(true);

describe('an engine that is shared', () => {
  test('does spare work when there is nothing else', async () => {
    const { calls, spare } = slowEngine();
    const work = spare.call('doctor', {});
    expect(calls).toHaveLength(0);
    await until(() => calls.length === 1);
    calls[0]?.end();
    await work;
  });

  test('stops spare work for a call, and begins it again afterwards', async () => {
    const { calls, main, spare } = slowEngine();
    let done = false;
    const work = spare.call('doctor', {}).then(() => (done = true));
    await until(() => calls.length === 1);
    const call = main.call('doctor', {});
    expect(calls[0]?.signal?.aborted).toBe(true);
    expect(calls).toHaveLength(2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toHaveLength(2);
    calls[1]?.end();
    await call;
    await until(() => calls.length === 3);
    expect(done).toBe(false);
    calls[2]?.end();
    await work;
  });

  test('stops all spare work for a call, not only the last', async () => {
    const { calls, main, spare } = slowEngine();
    const works = [spare.call('doctor', {}), spare.call('doctor', {})];
    await until(() => calls.length === 2);
    const call = main.call('doctor', {});
    expect(calls.map(({ signal }) => signal?.aborted ?? false)).toEqual([true, true, false]);
    calls[2]?.end();
    await call;
    await until(() => calls.length === 5);
    for (const { end } of calls) end();
    await Promise.all(works);
  });

  test('never begins spare work while a call runs', async () => {
    const { calls, main, spare } = slowEngine();
    const call = main.call('doctor', {});
    const work = spare.call('doctor', {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toHaveLength(1);
    calls[0]?.end();
    await call;
    await until(() => calls.length === 2);
    calls[1]?.end();
    await work;
  });

  test('gives up spare work whose own signal says so, waiting or not', async () => {
    const { calls, main, spare } = slowEngine();
    const waiting = new AbortController();
    const call = main.call('doctor', {});
    const first = failure(() => spare.call('doctor', {}, { signal: waiting.signal }));
    waiting.abort();
    expect((await first).code).toBe('cancelled');
    calls[0]?.end();
    await call;
    const running = new AbortController();
    const second = failure(() => spare.call('doctor', {}, { signal: running.signal }));
    await until(() => calls.length === 2);
    running.abort();
    expect((await second).code).toBe('cancelled');
    expect(calls).toHaveLength(2);
  });

  test('hands on what goes wrong', async () => {
    const broken: Engine = { call: () => Promise.reject(new StudioError('engine-crashed', 'Oh.')) };
    const { main, spare } = shareEngine(broken, 0);
    expect((await failure(() => main.call('doctor', {}))).code).toBe('engine-crashed');
    expect((await failure(() => spare.call('doctor', {}))).code).toBe('engine-crashed');
  });
});
