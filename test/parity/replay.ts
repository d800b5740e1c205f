import { join } from 'node:path';
import type { Target } from '#networks/graphs';
import type { Tensor } from '#engine/types';
import { compareFiles, importFixture } from './checkpoints.ts';
import { openFixture } from './fixture.ts';
import { openGraphs } from './graphs.ts';
import type { Graphs } from './graphs.ts';
import { replayDecodedPictures, replayDecoding } from './replay-decode.ts';
import { replayHost } from './replay-host.ts';
import { replayMage } from './replay-mage.ts';
import { replayDecoder, replayEncoder, replayTokenizer } from './replay-pixels.ts';
import { replayDdim, replayDecodeRepresentations, replayRdm } from './replay-rdm.ts';
import { Report } from './report.ts';

/** Targets whose arithmetic is float32 throughout, so that the tolerances apply. */
export const TARGETS: readonly Target[] = ['portable', 'cpu-float32'];

/** Where a replay works, and how it speaks. */
export interface ReplayOptions {
  /** Folder for everything temporary; the caller removes it. */
  readonly scratch: string;
  readonly targets: readonly Target[];
  /** A line of the result. */
  readonly print: (line: string) => void;
  /** What is being done; of passing interest. */
  readonly progress: (message: string) => void;
}

/**
 * Replays a fixture folder through importer, graphs and engine, and prints how every array compares.
 * @returns whether everything holds
 */
export async function replayFolder(folder: string, options: ReplayOptions): Promise<boolean> {
  const { print, progress, scratch } = options;
  const fixture = await openFixture(folder);
  const host = new Report(fixture, { print, progress });
  print(`${folder}: import and engine`);
  await attempt(host, 'engine', async () => replayHost(host));
  const bundle = await attempt(host, 'import', async () => {
    const made = await importFixture(fixture, { scratch, onProgress: progress });
    // The formula's files were made here; every other file was written by PyTorch.
    for (const { what, error, tensors, headUnused } of await compareFiles(
      fixture.checkpoints,
      made,
    )) {
      const note = `${tensors} tensors${headUnused ? '; its projection head is left aside' : ''}`;
      host.note(what, { error, ok: error === 0, rule: 'as in the bundle', note });
    }
    return made;
  });
  summarise(`${folder}, import and engine`, host, print);
  let holds = host.failures === 0;
  if (bundle === undefined) return false;
  for (const target of options.targets) {
    const report = new Report(fixture, { print, progress });
    print(`${folder}: ${target}`);
    await attempt(report, 'replay', async () => {
      const where = { bundle, target, scratch: join(scratch, target), onProgress: progress };
      await replayGraphs(report, () => openGraphs(where));
    });
    report.finish(host.used);
    summarise(`${folder}, ${target}`, report, print);
    holds &&= report.failures === 0;
  }
  return holds;
}

/**
 * Everything that runs a network, one network after the other: at full size two at once would not
 * fit in memory.
 */
async function replayGraphs(report: Report, open: () => Promise<Graphs>): Promise<void> {
  const stage = async <T>(name: string, work: (graphs: Graphs) => Promise<T>) => {
    const graphs = await open();
    try {
      return await attempt(report, name, async () => work(graphs));
    } finally {
      await graphs.close();
    }
  };
  await stage('encoder', (graphs) => replayEncoder(report, graphs));
  await stage('tokenizer', (graphs) => replayTokenizer(report, graphs));
  const representations = await stage('rdm', async (graphs) => {
    await replayRdm(report, graphs);
    await replayDdim(report, graphs);
    return replayDecodeRepresentations(report, graphs);
  });
  const ids = await stage('mage', async (graphs) => {
    await replayMage(report, graphs);
    const sampled = representations ?? new Map<string, Tensor<Float32Array>>();
    return replayDecoding(report, graphs, sampled);
  });
  await stage('decoder', async (graphs) => {
    await replayDecoder(report, graphs);
    await replayDecodedPictures(report, graphs, ids ?? new Map<string, Int32Array>());
  });
}

/** A part of a replay; what stops it is a failure, and the other parts go on. */
async function attempt<T>(
  report: Report,
  name: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    report.fail(name, error);
    return undefined;
  }
}

function summarise(what: string, report: Report, print: (line: string) => void): void {
  const { checks, failures } = report;
  const verdict = failures === 0 ? 'all hold' : `${failures} FAIL`;
  print(`${what}: ${checks} checks, ${verdict}`);
  print('');
}
