import { randomInt, randomUUID } from 'node:crypto';
import { WorkerClient } from '#worker/client';
import type { ChannelFactory } from '#worker/channel';
import type { Home } from './home.ts';
import type { OpenStudioOptions } from './open-studio.ts';
import { softwareName } from './version.ts';

/** Seeds that are short enough to be typed again. */
const SEED_RANGE = 2 ** 32;

/** A seed by chance, for a request that names none. */
export const newSeed = (): number => randomInt(SEED_RANGE);

type HostOptions = Pick<
  OpenStudioOptions,
  'home' | 'engine' | 'now' | 'newId' | 'newSeed' | 'software'
>;

/** What any program opens a studio with: its clock, chance, name, and processes for the engine. */
export function hostOptions(home: Home, channel: ChannelFactory): HostOptions {
  return {
    home,
    engine: (idleMs) => new WorkerClient({ channel, ...(idleMs === undefined ? {} : { idleMs }) }),
    now: Date.now,
    newId: () => randomUUID().replaceAll('-', ''),
    newSeed,
    software: softwareName(),
  };
}
