import { findHome, surroundings } from '#studio/home';
import { newSeed } from '#studio/host-options';
import { openLibrary } from '#studio/models/installed';
import type { Studio } from '#studio/studio';
import { softwareName } from '#studio/version';
import type { WorkerClient } from '#worker/client';
import type { Io } from './io.ts';
import type { Printer } from './printer.ts';

/** What every command is given. */
export interface Session {
  readonly io: Io;
  readonly print: Printer;
  readonly studio: Studio;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Puts a studio together on an engine; reads nothing of the person's data yet. */
export function createStudio(io: Io, engine: WorkerClient): Studio {
  const home = findHome(surroundings(io.env));
  return {
    home,
    library: openLibrary(home.models),
    engine,
    newSeed,
    software: softwareName(),
  };
}
