import type { RequestedTarget } from '#api/recipe';
import type { WorkerClient } from '#worker/client';
import type { ModelRef } from '#worker/protocol';
import type { Home } from './home.ts';
import type { InstalledModel, Library } from './models/installed.ts';

/** What the studio needs of the engine process. */
export type Engine = Pick<WorkerClient, 'call'>;

/** The parts that the studio's functions work with; a host puts them together. */
export interface Studio {
  readonly home: Home;
  readonly library: Library;
  readonly engine: Engine;
  /** A seed for a request that names none. */
  readonly newSeed: () => number;
  /** Program and version, as recipes name it. */
  readonly software: string;
}

/** How the engine is told of a model. */
export function modelRef(
  { home }: Studio,
  model: InstalledModel,
  target: RequestedTarget,
): ModelRef {
  return { bundle: model.folder, target, cache: home.cache };
}
