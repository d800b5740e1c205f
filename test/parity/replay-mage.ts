import type { Feeds, Tensor } from '#engine/types';
import { close, exact } from './compare.ts';
import type { Graphs } from './graphs.ts';
import type { Report } from './report.ts';
import { columns, concatenated, filled, floats, ints, output, rows } from './tensors.ts';
import { TOLERANCE } from './tolerance.ts';

/** Recorded arrays of a conditional pass, and the outputs that they are compared with. */
const CONDITIONAL = [
  ['mage_embeddings', 'embeddings'],
  ['mage_encoder_out', 'encoder_out'],
  ['mage_logits_cond', 'logits'],
  ['mage_logits_cond_fullvocab_pos0', 'full_logits0'],
] as const;
const PROBES = CONDITIONAL.map(([, probe]) => probe);

/**
 * One pass of MAGE over partly masked tokens (spec 4.2), once alone and once as the conditional half
 * of a guided pass: the same numbers both times.
 */
export async function replayMage(report: Report, graphs: Graphs): Promise<void> {
  await report.check('mage_fake_latent', exact, async () => {
    return graphs.weight('mage', 'fake_latent');
  });
  const wanted = [...CONDITIONAL.map(([name]) => name), 'mage_logits_uncond'];
  if (!report.has('mage_tokens', 'mage_rep') || !report.hasAny(...wanted)) return;
  const tokens = ints(await report.input('mage_tokens'));
  const representation = floats(await report.input('mage_rep'));
  const [batch = 0] = tokens.shape;
  const mage = await graphs.network('mage');
  const alone = await mage(passFeeds(tokens, representation, graphs.sizes.codes), PROBES);
  // What stands in the null rows must not matter.
  const both = concatenated([representation, filled(representation.shape, 7)]);
  const guided = await mage(passFeeds(tokens, both, graphs.sizes.codes), PROBES);
  const within = close(TOLERANCE.logits);
  for (const [name, probe] of CONDITIONAL) {
    await report.check(name, within, ({ shape }) => firstPositions(output(alone, probe), shape));
    await report.recheck(`${name}, guided`, name, within, ({ shape }) =>
      firstPositions(rows(output(guided, probe), 0, batch), shape),
    );
  }
  await report.check('mage_logits_uncond', within, ({ shape }) =>
    firstPositions(rows(output(guided, 'logits'), batch, 2 * batch), shape),
  );
}

/** Feeds of a pass whose draws do not matter. Rows beyond the batch are the null condition. */
function passFeeds(tokens: Tensor, representation: Tensor, codes: number): Feeds {
  const [batch = 0, positions = 0] = tokens.shape;
  const [all = 0] = representation.shape;
  const isNull = Float32Array.from({ length: all }, (_, row) => (row < batch ? 0 : 1));
  return {
    tokens,
    representation,
    is_null: { shape: [all], data: isNull },
    guidance: filled([batch], all > batch ? 1 : 0),
    gumbel: filled([batch, positions, codes], 0),
    confidence_noise: filled([batch, positions], 0),
    mask_count: { shape: [batch], data: new Int32Array(batch).fill(1) },
  };
}

/** The positions that were recorded: all, or the first few (large folders). */
function firstPositions(tensor: Tensor, [, count = 0]: readonly number[]): Tensor {
  return tensor.shape.length < 3 || tensor.shape[1] === count ? tensor : columns(tensor, 0, count);
}
