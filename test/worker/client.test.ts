import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WorkerClient, type WorkerClientOptions } from '#worker/client';
import { fakeEngines, type FakeEngine } from './fake-channel.ts';

const VERIFY = { bundle: '/library/starter' };
const RESULT = { problems: [{ code: 'content-changed', values: { file: 'rdm.safetensors' } }] };

function setUp(options: Omit<WorkerClientOptions, 'channel'> = {}): {
  readonly client: WorkerClient;
  readonly engines: readonly FakeEngine[];
  readonly engine: (at: number) => FakeEngine;
} {
  const { channel, engines } = fakeEngines();
  const engine = (at: number): FakeEngine => {
    const found = engines[at];
    if (!found) throw new Error(`engine ${at} was not started`);
    return found;
  };
  return { client: new WorkerClient({ channel, ...options }), engines, engine };
}

function result(id: number, value: unknown = RESULT): unknown {
  return { kind: 'result', id, method: 'verify', result: value };
}

function event(id: number, done: number): unknown {
  return { kind: 'event', id, method: 'verify', event: { done, total: 3, file: 'x' } };
}

describe('a call', () => {
  test('sends the request, passes events on in order, and gives the result', async () => {
    const { client, engine } = setUp();
    const seen: number[] = [];
    const call = client.call('verify', VERIFY, { onEvent: ({ done }) => seen.push(done) });
    expect(engine(0).sent).toEqual([{ kind: 'request', id: 1, method: 'verify', request: VERIFY }]);
    engine(0).say({ kind: 'ready' });
    engine(0).say(event(1, 1));
    engine(0).say(event(1, 2));
    engine(0).say(result(1));
    expect(await call).toEqual(RESULT);
    expect(seen).toEqual([1, 2]);
  });

  test('calls do not mix', async () => {
    const { client, engine } = setUp();
    const first = client.call('verify', VERIFY);
    const second = client.call('verify', VERIFY);
    engine(0).say(result(2, { problems: ['second'] }));
    engine(0).say(result(1, { problems: ['first'] }));
    expect([await first, await second]).toEqual([
      { problems: ['first'] },
      { problems: ['second'] },
    ]);
  });

  test('an error arrives with code and field', async () => {
    const { client, engine } = setUp();
    const call = client.call('verify', VERIFY);
    const error = { code: 'invalid-request', message: 'Not that.', field: 'bundle' };
    engine(0).say({ kind: 'error', id: 1, error });
    await expect(call).rejects.toMatchObject(error);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'result'],
    ['a number', 7],
    ['an empty object', {}],
    ['an unknown kind', { kind: 'surprise', id: 1, method: 'verify', result: RESULT }],
    ['an id that is text', { kind: 'result', id: '1', method: 'verify', result: RESULT }],
    ['an id nobody has', result(99)],
    ['an id from before', result(0)],
    ['another method', { kind: 'result', id: 1, method: 'open', result: RESULT }],
    ['no method', { kind: 'result', id: 1, result: RESULT }],
    ['a result without one', { kind: 'result', id: 1, method: 'verify' }],
    ['an error without one', { kind: 'error', id: 1 }],
    ['an error that is text', { kind: 'error', id: 1, error: 'bad' }],
    [
      'an error of an unknown call',
      { kind: 'error', id: 5, error: { code: 'internal', message: '' } },
    ],
  ])('%s from the engine is ignored', async (_, garbage) => {
    const { client, engine } = setUp();
    const call = client.call('verify', VERIFY);
    engine(0).say(garbage);
    engine(0).say(result(1));
    expect(await call).toEqual(RESULT);
    // Late messages of a call that is over.
    engine(0).say(event(1, 3));
    engine(0).say(result(1, { problems: ['late'] }));
  });

  test('a listener that throws ends its call and cancels the work', async () => {
    const { client, engine } = setUp();
    const call = client.call('verify', VERIFY, {
      onEvent: () => {
        throw new Error('disk full while saving');
      },
    });
    engine(0).say(event(1, 1));
    await expect(call).rejects.toThrow('disk full while saving');
    expect(engine(0).sent.at(-1)).toEqual({ kind: 'cancel', id: 1 });
  });
});

describe('a crash', () => {
  test('rejects every call in flight, saying what happened and what is safe', async () => {
    const { client, engine } = setUp();
    const calls = [client.call('verify', VERIFY), client.call('verify', VERIFY)];
    engine(0).end('signal SIGKILL');
    for (const call of calls) {
      const failure = await call.catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'StudioError', code: 'engine-crashed' });
      expect(String(failure)).toMatch(/SIGKILL.*safe.*again/s);
    }
  });

  test('the next call starts a new process', async () => {
    const { client, engines, engine } = setUp();
    const crashed = client.call('verify', VERIFY);
    engine(0).end('exit code 134');
    await expect(crashed).rejects.toThrow('134');
    expect(client.pid).toBeUndefined();
    const call = client.call('verify', VERIFY);
    expect([engines.length, client.pid]).toEqual([2, 1001]);
    // The dead process's last words do not reach the new one's call.
    engine(0).say(result(2, { problems: ['from the grave'] }));
    engine(1).say(result(2));
    expect(await call).toEqual(RESULT);
  });

  test('between calls it is not an error', async () => {
    const { client, engine } = setUp();
    client.start();
    engine(0).end('exit code 1');
    const call = client.call('verify', VERIFY);
    engine(1).say(result(1));
    expect(await call).toEqual(RESULT);
  });
});

describe('cancelling', () => {
  test('asks the engine, whose answer ends the call', async () => {
    const { client, engine } = setUp();
    const abort = new AbortController();
    const call = client.call('verify', VERIFY, { signal: abort.signal });
    abort.abort();
    abort.abort();
    expect(engine(0).sent.slice(1)).toEqual([{ kind: 'cancel', id: 1 }]);
    engine(0).say({ kind: 'error', id: 1, error: { code: 'cancelled', message: 'Stopped.' } });
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(engine(0).killed).toBe(false);
  });

  test('a result that was quicker counts', async () => {
    const { client, engine } = setUp();
    const abort = new AbortController();
    const call = client.call('verify', VERIFY, { signal: abort.signal });
    abort.abort();
    engine(0).say(result(1));
    expect(await call).toEqual(RESULT);
  });

  test('an engine that does not answer is killed, and the next call has another', async () => {
    const { client, engines, engine } = setUp({ graceMs: 20 });
    const abort = new AbortController();
    const call = client.call('verify', VERIFY, { signal: abort.signal });
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(engine(0).killed).toBe(true);
    const next = client.call('verify', VERIFY);
    engine(1).say(result(2));
    expect(await next).toEqual(RESULT);
    expect(engines).toHaveLength(2);
  });

  test('a signal given before means that nothing is sent', async () => {
    const { client, engines } = setUp();
    const call = client.call('verify', VERIFY, { signal: AbortSignal.abort() });
    await expect(call).rejects.toMatchObject({ code: 'cancelled' });
    expect(engines).toHaveLength(0);
  });

  test('a signal given after the end does nothing', async () => {
    const { client, engine } = setUp();
    const abort = new AbortController();
    const call = client.call('verify', VERIFY, { signal: abort.signal });
    engine(0).say(result(1));
    await call;
    abort.abort();
    expect(engine(0).sent).toHaveLength(1);
  });
});

describe('the process', () => {
  test('starts with the first call, or early, once', () => {
    const { client, engines } = setUp();
    expect([engines.length, client.pid]).toEqual([0, undefined]);
    client.start();
    client.start();
    void client.call('verify', VERIFY).catch(() => undefined);
    expect([engines.length, client.pid]).toEqual([1, 1000]);
  });

  test('ends when idle, not while busy, and comes back', async () => {
    const { client, engines, engine } = setUp({ idleMs: 20 });
    const busy = client.call('verify', VERIFY);
    await sleep(50);
    expect(engine(0).killed).toBe(false);
    engine(0).say(result(1));
    await busy;
    await sleep(50);
    expect([engine(0).killed, client.pid]).toEqual([true, undefined]);
    const call = client.call('verify', VERIFY);
    engine(1).say(result(2));
    expect(await call).toEqual(RESULT);
    expect(engines).toHaveLength(2);
    await client.close();
  });

  test('close ends an idle process and refuses calls', async () => {
    const { client, engine, engines } = setUp();
    client.start();
    await client.close();
    await client.close();
    expect(engine(0).killed).toBe(true);
    await expect(client.call('verify', VERIFY)).rejects.toMatchObject({ code: 'cancelled' });
    client.start();
    expect(engines).toHaveLength(1);
  });

  test('close cancels what is under way and waits for its end', async () => {
    const { client, engine } = setUp();
    const call = client.call('verify', VERIFY);
    const outcome = call.catch((error: unknown) => error);
    const closed = client.close();
    expect(engine(0).sent.at(-1)).toEqual({ kind: 'cancel', id: 1 });
    expect(engine(0).killed).toBe(false);
    engine(0).say({ kind: 'error', id: 1, error: { code: 'cancelled', message: 'Stopped.' } });
    expect(await outcome).toMatchObject({ code: 'cancelled' });
    await closed;
    expect(engine(0).killed).toBe(true);
  });

  test('close does not wait for ever', async () => {
    const { client, engine } = setUp({ graceMs: 20 });
    const call = client.call('verify', VERIFY).catch((error: unknown) => error);
    await client.close();
    expect(engine(0).killed).toBe(true);
    expect(await call).toMatchObject({ code: 'cancelled' });
  });

  test('close without a process is quick', async () => {
    await expect(setUp().client.close()).resolves.toBeUndefined();
  });
});
