/**
 * Every array that a fixture can hold, and what its check needs. So an array that nothing compared
 * is told apart: an unknown name and a forgotten comparison are failures, one whose counterpart was
 * not recorded is listed with that reason.
 */
interface Entry {
  readonly pattern: RegExp;
  /** Fed to the product rather than compared with what it says. */
  readonly input?: boolean;
  /** Arrays without which it cannot be compared. `$1` is the run's number. */
  readonly needs: readonly string[];
}

const CATALOGUE: readonly Entry[] = [
  { pattern: /^pre(\d+)_source_u8$/, input: true, needs: [] },
  { pattern: /^pre(\d+)_resize\d+_crop\d+_u8$/, needs: ['pre$1_source_u8'] },
  { pattern: /^enc_image_u8$/, input: true, needs: [] },
  { pattern: /^(?:enc_(?:input\d+|feature|head|rep)|vq_enc_(?:z|ids))$/, needs: ['enc_image_u8'] },
  { pattern: /^vq_dec_ids$/, input: true, needs: [] },
  { pattern: /^vq_dec_image(?:_u8)?$/, needs: ['vq_dec_ids'] },
  { pattern: /^schedule_\w+$/, needs: [] },
  { pattern: /^rdm_(?:x|t|class)$/, input: true, needs: [] },
  { pattern: /^rdm_context$/, needs: ['rdm_class'] },
  { pattern: /^rdm_(?:x0|eps)$/, needs: ['rdm_x', 'rdm_t'] },
  { pattern: /^rdm_x0_live_weights$/, needs: ['rdm_x', 'rdm_t', 'rdm_x0'] },
  { pattern: /^ddim(\d+)_(?:steps_eta|xT|noise)$/, input: true, needs: [] },
  {
    pattern: /^ddim(\d+)_(?:t|a_t|a_prev|sigma|sqrt_one_minus_a_t)$/,
    needs: ['ddim$1_steps_eta'],
  },
  { pattern: /^ddim(\d+)_kept_positions$/, input: true, needs: [] },
  {
    pattern: /^ddim(\d+)_(?:pred_x0|x_after)$/,
    needs: ['ddim$1_steps_eta', 'ddim$1_xT', 'ddim$1_noise', 'ddim$1_kept_positions'],
  },
  { pattern: /^ddim(\d+)_result$/, needs: ['ddim$1_steps_eta', 'ddim$1_xT', 'ddim$1_noise'] },
  { pattern: /^mage_(?:tokens|rep)$/, input: true, needs: [] },
  { pattern: /^mage_fake_latent$/, needs: [] },
  {
    pattern: /^mage_(?:embeddings|encoder_out|logits_(?:cond|uncond|cond_fullvocab_pos0))$/,
    needs: ['mage_tokens', 'mage_rep'],
  },
  { pattern: /^decode(\d+)_(?:rdm_xT|rdm_noise|class_label)$/, input: true, needs: [] },
  { pattern: /^decode(\d+)_(?:cat_gumbel|conf_gumbel)$/, input: true, needs: [] },
  { pattern: /^decode(\d+)_rep$/, needs: ['decode$1_rdm_xT', 'decode$1_rdm_noise'] },
  {
    pattern:
      /^decode(\d+)_(?:tokens_in|tokens_out|drawn_ids|sampled_ids|logit_probe|selected_probs|conf_temperature|cfg_scale|mask_len|masking|final_ids|image_u8)$/,
    needs: ['decode$1_rep', 'decode$1_cat_gumbel', 'decode$1_conf_gumbel'],
  },
];

/** What became of an array that no check touched. */
export interface Leftover {
  readonly name: string;
  readonly reason: string;
  /** False: the replay is at fault, or does not know the array. */
  readonly excused: boolean;
}

/** Judges the arrays of a folder that were neither compared nor fed to anything. */
export function judgeLeftovers(names: readonly string[], used: ReadonlySet<string>): Leftover[] {
  const present = new Set(names);
  return names.filter((name) => !used.has(name)).map((name) => judge(name, present));
}

function judge(name: string, present: ReadonlySet<string>): Leftover {
  for (const { pattern, input, needs } of CATALOGUE) {
    const match = pattern.exec(name);
    if (!match) continue;
    const run = match[1] ?? '';
    const missing = needs
      .map((need) => need.replace('$1', run))
      .filter((need) => !present.has(need));
    if (missing.length > 0) {
      return { name, excused: true, reason: `cannot be replayed without ${missing.join(', ')}` };
    }
    if (input) {
      return {
        name,
        excused: true,
        reason: 'an input that no recorded output can be replayed from',
      };
    }
    return { name, excused: false, reason: 'nothing was compared with it' };
  }
  return { name, excused: false, reason: 'not an array that this program knows' };
}
