import { StudioError } from '#api/errors';
import { WorkerClient } from '#worker/client';
import { processIo, type Io } from './io.ts';
import { createPrinter, type Printer } from './printer.ts';

const EXIT = { done: 0, failed: 1, usage: 2, cancelled: 130 } as const;

/** Requests to stop within this are one: a terminal's own, and the same passed on by a parent. */
const ONE_INTERRUPT_MS = 300;

/** Commands whose first need is the engine: it boots while the arguments are still being read. */
const STARTS_ENGINE = new Set(['generate', 'encode', 'decode', 'interpolate', 'replay', 'doctor']);

/**
 * Runs one command and resolves with its exit code: 0 done, 1 failed, 2 wrong usage, 130 cancelled.
 * Never rejects: every error is printed as a sentence.
 */
export async function main(args: readonly string[], io: Io = processIo()): Promise<number> {
  const flags = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined);
  const print = createPrinter(io, {
    json: flags.includes('--json'),
    verbose: flags.includes('--verbose'),
  });
  const engine = new WorkerClient({ channel: io.channel });
  const stop = new AbortController();
  let first: number | undefined;
  const ignoreInterrupts = io.onInterrupt(() => {
    const now = io.now();
    first ??= now;
    // The second time a person means it: the engine may not even be listening.
    if (now - first > ONE_INTERRUPT_MS) process.exit(EXIT.cancelled);
    stop.abort();
  });
  try {
    const wantsHelp = flags.includes('--help') || flags.includes('-h');
    // A library brings engines of its own.
    const ownEngine = flags.includes('--library');
    if (STARTS_ENGINE.has(args[0] ?? '') && !wantsHelp && !ownEngine) engine.start();
    const { runProgram } = await import('./program.ts');
    const { createStudio } = await import('./session.ts');
    const session = { io, print, studio: createStudio(io, engine), signal: stop.signal };
    const code = await runProgram(args, session);
    return stop.signal.aborted ? EXIT.cancelled : code;
  } catch (error) {
    return report(error, print);
  } finally {
    ignoreInterrupts();
    print.clear();
    await engine.close();
  }
}

function report(error: unknown, print: Printer): number {
  const known =
    error instanceof StudioError
      ? error
      : new StudioError(
          'internal',
          `Something went wrong inside RCG Studio (${error instanceof Error ? error.message : String(error)}). ` +
            `Run it again with --verbose and report what it shows.`,
          { cause: error },
        );
  if (known !== error && error instanceof Error && error.stack !== undefined) {
    known.stack = error.stack;
  }
  print.error(known);
  if (known.code === 'cancelled') return EXIT.cancelled;
  return known.code === 'invalid-request' || known.field !== undefined ? EXIT.usage : EXIT.failed;
}
