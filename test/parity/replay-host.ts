import { ddimSchedule, noiseSchedule } from '#engine/schedule';
import { prepare } from '#engine/picture';
import { close, exact } from './compare.ts';
import type { Report } from './report.ts';
import { bytes } from './tensors.ts';
import { TOLERANCE } from './tolerance.ts';

/** What the engine computes without a network: schedules and preprocessing. The same on any target. */
export async function replayHost(report: Report): Promise<void> {
  await replayPictures(report);
  await replayNoiseSchedule(report);
  await replayDdimConstants(report);
}

/** Resize and centre crop of pictures of any size, to the byte (spec 2.1). */
async function replayPictures(report: Report): Promise<void> {
  for (const name of report.matching(/^pre\d+_resize\d+_crop\d+_u8$/)) {
    const [, run = '', short, crop] = /^(pre\d+)_resize(\d+)_crop(\d+)_u8$/.exec(name) ?? [];
    if (!report.has(`${run}_source_u8`)) continue;
    const { data, shape } = bytes(await report.input(`${run}_source_u8`));
    const [height = 0, width = 0] = shape;
    const side = Number(crop);
    await report.check(name, exact, () => ({
      shape: [side, side, 3],
      data: prepare({ width, height, data }, { short: Number(short), crop: side }),
    }));
  }
}

/** The buffers of a checkpoint (spec 3.3). */
async function replayNoiseSchedule(report: Report): Promise<void> {
  const schedule: Readonly<Record<string, Float32Array>> = { ...noiseSchedule() };
  for (const name of report.matching(/^schedule_/)) {
    const data = schedule[name.slice('schedule_'.length)];
    if (data) {
      const rule = close(TOLERANCE.schedule);
      // Near t = 1000 the reciprocals reach 34, where float32 itself is coarser than the tolerance.
      await report.check(name, rule, () => ({ shape: [data.length], data }));
    } else {
      report.skip(name, 'a buffer that the sampler never reads');
    }
  }
}

/** Grid and constants of every DDIM run (spec 3.4). */
async function replayDdimConstants(report: Report): Promise<void> {
  for (const name of report.matching(/^ddim\d+_steps_eta$/)) {
    const run = name.slice(0, -'steps_eta'.length);
    const [steps = NaN, eta = NaN] = (await report.input(name)).data;
    const schedule = ddimSchedule({ steps, eta });
    const { timesteps, a_t, a_prev, sigma, sqrt_one_minus_a_t } = schedule;
    const constants = { a_t, a_prev, sigma, sqrt_one_minus_a_t };
    await report.check(`${run}t`, exact, () => ({ shape: [timesteps.length], data: timesteps }));
    for (const [key, data] of Object.entries(constants)) {
      await report.check(run + key, close(TOLERANCE.schedule), () => ({
        shape: [data.length],
        data,
      }));
    }
  }
}
