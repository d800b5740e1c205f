import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { openLibrary } from '#studio/models/installed';
import { openStudio, type OpenStudio, type OpenStudioOptions } from '#studio/open-studio';
import { WorkerClient } from '#worker/client';
import { forkChannel } from '#worker/fork-channel';
import { tinyBundle } from '../helpers/tiny-model.ts';

/** A process that was killed may still be writing while its files are cleared. */
const CLEAR = { recursive: true, force: true, maxRetries: 5 } as const;

/** A home folder with one tiny model in it, and compiled graphs that all tests of a file share. */
export interface TestHome {
  readonly root: string;
  readonly models: string;
  readonly cache: string;
}

/** Makes the home folder; it is gone after the file's last test. */
export async function testHome(classes = 0): Promise<TestHome> {
  const root = await mkdtemp(join(tmpdir(), 'rcg-studio-hosts-'));
  afterAll(() => rm(root, CLEAR));
  const models = join(root, 'models');
  await tinyBundle(models, { classes });
  return { root, models, cache: join(root, 'cache') };
}

/** A folder for a library, gone after the test. */
export async function libraryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rcg-studio-library-'));
  onTestFinished(() => rm(folder, CLEAR));
  return folder;
}

/** Opens a studio with a real engine and closes it after the test, unless the test did. */
export async function testStudio(
  home: TestHome,
  options: Partial<OpenStudioOptions> = {},
): Promise<OpenStudio> {
  const studio = await openStudio({
    home,
    models: openLibrary(home.models, []),
    engine: () => new WorkerClient({ channel: forkChannel() }),
    now: () => Date.now(),
    newId: () => randomUUID().replaceAll('-', ''),
    newSeed: () => 7,
    settleMs: 0,
    software: 'rcg-studio 0.0.0-test',
    ...options,
  });
  onTestFinished(() => studio.close());
  if (studio.state.kind === 'open') studio.configure({ model: 'tiny' });
  return studio;
}
