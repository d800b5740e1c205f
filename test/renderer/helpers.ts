import { createRouterClient } from '@orpc/server';
import type { Job } from '../../main/api/jobs.ts';
import { App, type Surroundings } from '../../renderer/state/app.svelte.ts';
import type { StudioClient } from '../../renderer/state/studio.ts';
import { createFakeStudio, type FakeOptions } from './fake-studio.ts';

/** Calls, named as in "models.offer", that a test answers itself. */
export type Calls = Readonly<Record<string, (...input: unknown[]) => Promise<unknown>>>;

/**
 * The app over the stand-in, called in this process; nothing is kept after it. `calls` take the
 * place of the stand-in's.
 */
export function openApp(options: FakeOptions = {}, calls: Calls = {}, kept = memoryKept()) {
  const fake = createFakeStudio({ stepMs: 1, ...options });
  const studio = answering(createRouterClient(fake.router), calls);
  const surroundings = memorySurroundings(kept);
  const app = new App(studio, surroundings);
  const ending = new AbortController();
  const running = app.events.run(ending.signal);
  const close = async () => {
    ending.abort();
    await running;
  };
  return { app, fake, surroundings, close };
}

function answering(client: StudioClient, calls: Calls): StudioClient {
  const under = (part: object, path: string): object =>
    new Proxy(part, {
      get: (target, name) => {
        const full = `${path}${String(name)}`;
        const there: unknown = Reflect.get(target, name);
        if (calls[full] !== undefined) return calls[full];
        return path === '' && Object(there) === there ? under(Object(there), `${full}.`) : there;
      },
    });
  return under(client, '') as StudioClient;
}

/** What is kept between windows, in memory. */
export function memoryKept(entries: Readonly<Record<string, string>> = {}, nextSeed = 1) {
  const kept = new Map(Object.entries(entries));
  return {
    nextSeed,
    entries: kept,
    get: (name: string) => kept.get(name) ?? null,
    set: (name: string, text: string) => void kept.set(name, text),
  };
}

/** An address bar and what is kept, in memory. */
function memorySurroundings(kept = memoryKept()): Surroundings & { kept: typeof kept } {
  return { kept, bar: { location: { hash: '' }, addEventListener: () => {} } };
}

/** Waits until something is so; fails after two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 2000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('It did not happen in time.');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A job with the settings that matter to a test. */
export function job(change: Partial<Job> & { readonly id: number }): Job {
  return {
    state: 'queued',
    createdAt: 0,
    source: { kind: 'sample' },
    settings: {
      ...{ model: 'starter', target: 'cpu', count: 4, seed: 1, label: null, rdmSteps: 250, eta: 1 },
      ...{ steps: 20, temperature: 6, guidance: 4, schedule: 'linear', chunk: 8 },
    },
    total: 4,
    ...{ images: [], indexes: [], deleted: [], halfMade: null },
    ...{ error: null, timeLeft: null, together: null },
    ...change,
  };
}
