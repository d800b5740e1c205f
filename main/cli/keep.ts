import { join } from 'node:path';
import { StudioError } from '#api/errors';
import { reasonText } from '#api/reasons';
import type { ImageDetail } from '#api/images';
import type { CreateJob, Job } from '#api/jobs';
import type { StudioEvent } from '#api/studio';
import type { GenerateFiles } from '#studio/making/generate';
import { planGenerate } from '#studio/making/plan';
import { fileOf } from './kept-pictures.ts';
import { withLibrary, type OpenedLibrary } from './open-library.ts';
import type { Session } from './session.ts';

const ENDED = new Set<Job['state']>(['done', 'failed', 'parked', 'cancelled']);

/** generate --library: a job of the library's queue, whose pictures are kept there */
export async function keepCommand(session: Session, request: GenerateFiles): Promise<number> {
  const { studio, signal } = session;
  const { manifest } = await studio.library.find(request.model);
  const { fromImage } = request;
  const source = fromImage === undefined ? 'sample' : 'given';
  const { seeds, target, chunk, decoding, rdmSteps, eta, label } = planGenerate(request, {
    manifest,
    newSeed: studio.newSeed,
    source,
  });
  const sampled = source === 'sample' ? { rdmSteps, eta, label } : {};
  const { steps, temperature, guidance, schedule } = decoding;
  const settings: CreateJob['settings'] = {
    model: manifest.id,
    ...{ target, chunk, steps, temperature, guidance, schedule, ...sampled },
    count: seeds.length,
    seed: seeds[0] ?? 0,
  };
  return withLibrary(session, { queue: true }, async (library) => {
    const { client } = library;
    if ((await client.studio.status()).paused) throw paused();
    const from = fromImage === undefined ? null : await takeIn(library, fromImage);
    const [first] = await client.jobs.list();
    const job = await client.jobs.create({
      source: from === null ? { kind: 'sample' } : { kind: 'image', image: from },
      settings,
    });
    // Whoever types a command waits for it, and not for what was queued before.
    if (first !== undefined && !ENDED.has(first.state)) {
      await client.jobs.move({ id: job.id, before: first.id }).catch(() => undefined);
    }
    const cancel = (): void => void client.jobs.cancel({ id: job.id }).catch(() => undefined);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    const ended = await follow(session, library, job.id);
    if (ended.state === 'cancelled') throw new StudioError('cancelled', 'Cancelled.');
    if (ended.state === 'done') return 0;
    const { code, message } = ended.error ?? { code: 'internal', message: 'The job failed.' };
    throw new StudioError(code, message);
  });
}

async function takeIn({ client }: OpenedLibrary, path: string): Promise<number> {
  const { ids, refused } = await client.images.import({ files: [await fileOf(path)] });
  const [id] = ids;
  if (id !== undefined) return id;
  const reason = refused[0]?.reason ?? null;
  const why = reason === null ? `${path} cannot be read.` : reasonText(reason);
  throw new StudioError('picture-unreadable', why, {
    field: 'from-image',
  });
}

/** Prints the pictures of a job as they are kept; gives the job as it ended. */
async function follow(session: Session, library: OpenedLibrary, id: number): Promise<Job> {
  const { client } = library;
  const { folder } = await client.library.place();
  let printed = 0;
  for await (const event of await client.studio.events()) {
    draw(session, event, id);
    if (event.kind !== 'jobs' && event.kind !== 'images') continue;
    const job = (await client.jobs.list()).find((one) => one.id === id);
    if (job === undefined) break;
    for (const kept of job.images.slice(printed)) {
      const image = await client.images.get({ id: kept });
      printKept(session, image, join(folder, image.path));
    }
    printed = job.images.length;
    if (ENDED.has(job.state)) return job;
  }
  throw new StudioError('internal', 'The job went off the list while it was watched.');
}

function draw({ print }: Session, event: StudioEvent, id: number): void {
  if (event.kind !== 'progress' || event.progress.job !== id) return;
  const { index, stage, done, total } = event.progress;
  print.progress?.(total > 0 ? done / total : 0, `picture ${index + 1}, ${stage}`);
}

function printKept({ print }: Session, { id, recipe, times }: ImageDetail, file: string): void {
  const { seed, tokenHash } = recipe;
  const json = { id, file, seed, recipe, tokenHash, ms: times, written: 'new' };
  print.result(json, `${file}  picture ${id}  seed ${seed}`);
}

function paused(): StudioError {
  return new StudioError(
    'invalid-request',
    'The queue of this library is paused, so the pictures would never be made. Nothing was queued; resume it in a window, or leave --library out.',
    { field: 'library' },
  );
}
