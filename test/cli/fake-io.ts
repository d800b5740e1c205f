import { PassThrough } from 'node:stream';
import { encodeError } from '#api/errors';
import type { Channel } from '#worker/channel';
import type { FromWorker, MethodName, Methods, ToWorker } from '#worker/protocol';
import { main } from '../../main/cli/main.ts';
import type { Io } from '../../main/cli/io.ts';
import { fakeEngine, type Answers } from '../studio/helpers.ts';

/** An engine "process" in this one: answers as a fake engine does, through the real protocol. */
export function fakeChannel(answers: Answers = {}): {
  readonly factory: () => Channel;
  readonly die: (reason: string) => void;
  readonly asked: readonly MethodName[];
} {
  const engine = fakeEngine(answers);
  const exits: ((reason: string) => void)[] = [];
  const die = (reason: string) => exits.splice(0).forEach((listener) => listener(reason));
  const factory = (): Channel => {
    const cancels = new Map<number, AbortController>();
    let listener: (message: unknown) => void = () => undefined;
    const answer = async (message: Extract<ToWorker, { kind: 'request' }>): Promise<void> => {
      const { id, method, request } = message;
      const post = (reply: object) => listener({ id, method, ...reply } as unknown as FromWorker);
      const stop = new AbortController();
      cancels.set(id, stop);
      try {
        const result = await engine.call(method, request as Methods[MethodName]['request'], {
          signal: stop.signal,
          onEvent: (event: unknown) => post({ kind: 'event', event }),
        });
        post({ kind: 'result', result });
      } catch (error) {
        post({ kind: 'error', error: encodeError(error) });
      }
    };
    return {
      pid: 1,
      send: (message) => {
        const sent = message as ToWorker;
        if (sent.kind === 'cancel') cancels.get(sent.id)?.abort();
        else void answer(sent);
      },
      onMessage: (given) => (listener = given),
      onExit: (given) => exits.push(given),
      kill: () => die('killed'),
    };
  };
  return { factory, die, asked: engine.asked };
}

export interface FakeIo {
  readonly io: Io;
  readonly out: () => string;
  readonly err: () => string;
  /** Ctrl-C */
  readonly interrupt: () => void;
  readonly asked: readonly MethodName[];
}

export interface FakeOptions {
  readonly home: string;
  readonly answers?: Answers;
  readonly terminal?: boolean;
  /** What a person types. */
  readonly typed?: string;
  readonly channel?: ReturnType<typeof fakeChannel>;
}

export function fakeIo({
  home,
  answers,
  terminal = false,
  typed = '',
  channel,
}: FakeOptions): FakeIo {
  const written = { out: '', err: '' };
  const interrupts = new Set<() => void>();
  const { factory, asked } = channel ?? fakeChannel(answers);
  let clock = 0;
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal });
  stdin.end(typed);
  const output = (stream: 'out' | 'err') => ({
    write: (text: string) => void (written[stream] += text),
    isTTY: terminal,
    columns: 80,
  });
  return {
    io: {
      stdout: output('out'),
      stderr: output('err'),
      stdin,
      env: { RCG_STUDIO_HOME: home },
      channel: factory,
      now: () => (clock += 500),
      onInterrupt: (listener) => {
        interrupts.add(listener);
        return () => interrupts.delete(listener);
      },
    },
    out: () => written.out,
    err: () => written.err,
    interrupt: () => interrupts.forEach((listener) => listener()),
    asked,
  };
}

/** One run of the command: exit code and what it printed. */
export async function run(
  args: readonly string[],
  options: FakeOptions,
): Promise<{ code: number; out: string; err: string; asked: readonly MethodName[] }> {
  const fake = fakeIo(options);
  const code = await main(args, fake.io);
  return { code, out: fake.out(), err: fake.err(), asked: fake.asked };
}

/** The JSON lines of an output. */
export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
