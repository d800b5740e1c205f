import { close, ids, largestDifference, levels } from './compare.ts';
import type { Graphs } from './graphs.ts';
import type { Report } from './report.ts';
import { bytes, ints, output, rows } from './tensors.ts';
import { TOLERANCE } from './tolerance.ts';

/** Pictures to representations (spec 2). */
export async function replayEncoder(report: Report, graphs: Graphs): Promise<void> {
  const resized = report.matching(/^enc_input\d+$/);
  const wanted = [...resized, 'enc_feature', 'enc_head', 'enc_rep'];
  if (!report.has('enc_image_u8') || !report.hasAny(...wanted)) return;
  const image = bytes(await report.input('enc_image_u8'));
  const encoder = await graphs.network('encoder');
  const found = await encoder({ image }, ['input', 'feature', 'projection', 'representation']);
  for (const name of resized) {
    // Recorded for the first pictures only.
    await report.check(name, close(TOLERANCE.resized), ({ shape }) =>
      rows(output(found, 'input'), 0, shape[0] ?? 0),
    );
  }
  const [feature, head] = [output(found, 'feature'), output(found, 'projection')];
  const within = close(TOLERANCE.representation);
  await report.check('enc_feature', within, () => feature);
  if (feature.data.length === head.data.length && largestDifference(feature.data, head.data) === 0)
    report.skip('enc_head', 'this model takes the feature before the projection head');
  else await report.check('enc_head', within, () => head);
  await report.check('enc_rep', within, () => output(found, 'representation'));
}

/** Pictures to tokens (spec 4.1). */
export async function replayTokenizer(report: Report, graphs: Graphs): Promise<void> {
  if (!report.has('enc_image_u8') || !report.hasAny('vq_enc_z', 'vq_enc_ids')) return;
  const image = bytes(await report.input('enc_image_u8'));
  const tokenizer = await graphs.network('tokenizer');
  const found = await tokenizer({ image }, ['latent', 'tokens']);
  await report.check('vq_enc_z', close(TOLERANCE.latent), () => output(found, 'latent'));
  await report.check('vq_enc_ids', ids, () => output(found, 'tokens'));
}

/** Tokens to pictures (spec 4.1 and 4.5). */
export async function replayDecoder(report: Report, graphs: Graphs): Promise<void> {
  if (!report.has('vq_dec_ids') || !report.hasAny('vq_dec_image', 'vq_dec_image_u8')) return;
  const tokens = ints(await report.input('vq_dec_ids'));
  const decoder = await graphs.network('decoder');
  const found = await decoder({ tokens }, ['image', 'pixels']);
  await report.check('vq_dec_image', close(TOLERANCE.pixels), ({ shape }) =>
    rows(output(found, 'pixels'), 0, shape[0] ?? 0),
  );
  await report.check('vq_dec_image_u8', levels, () => output(found, 'image'));
}
