import type { EncoderConfig, NetworkKind } from '#bundle/manifest';
import { EMA_PREFIX, LIVE_PREFIX } from './ema.ts';

/** The keys of a section, as questions. */
export interface Keys {
  /** The root key under which the section stands; '' for a bare dictionary. */
  readonly section: string;
  has(key: string): boolean;
  /** Whether any key begins so. */
  any(prefix: string): boolean;
}

/** Keys that begin with `prefix` are weights of a network, under their name without it. */
interface Route {
  readonly prefix: string;
  readonly kind: NetworkKind;
  /** The network that carries this one along, frozen; null for the file's own. */
  readonly within: 'mage' | 'rdm' | null;
  /** The prefix is part of the network's own names. */
  readonly keep?: true;
}

/** Keys that are left aside, and why. */
export interface Ignored {
  readonly pattern: RegExp;
  readonly why: string;
}

/** One kind of file, recognised by its keys. */
export interface Layout {
  /** What people call it. */
  readonly name: string;
  readonly matches: (keys: Keys) => boolean;
  /** Why it cannot be imported; such a layout has no routes. */
  readonly refuse?: string;
  /** How an encoder in such a file was trained, where its head does not tell. */
  readonly encoder?: EncoderConfig['kind'];
  /** First fit wins. */
  readonly routes: readonly Route[];
  readonly ignored: readonly Ignored[];
}

const NOT_YET =
  'RCG Studio makes pixels with MAGE; import a MAGE checkpoint of RCG instead. Nothing was changed.';
const STRANGER = 'It belongs to another program and cannot be used here. Nothing was changed.';

const MAGE_KEY = 'token_emb.word_embeddings.weight';
const UNET = 'model.diffusion_model.input_blocks.';
const UNET_EMA = `${EMA_PREFIX}input_blocks`;

const refused = (
  name: string,
  matches: Layout['matches'],
  refuse: string,
): Layout & { readonly refuse: string } => ({ name, matches, refuse, routes: [], ignored: [] });

/**
 * Every kind of file that we know, in the order in which they are tried: what is refused stands
 * before what it could be mistaken for. Keys per spec 2.4, 2.5, 3.2, 4.1, 4.2 and 5.
 */
export const LAYOUTS: readonly Layout[] = [
  refused(
    'class-label MAGE',
    (keys) => keys.has(MAGE_KEY) && keys.has('class_emb.weight'),
    'This MAGE is steered by class labels instead of representations, which RCG Studio does not ' +
      'run. Import a representation-conditioned MAGE. Nothing was changed.',
  ),
  refused(
    'plain MAGE',
    (keys) => keys.has(MAGE_KEY) && !keys.any('latent_prior_proj.') && !keys.has('fake_latent'),
    'This is a plain MAGE without representation condition (it has no latent_prior_proj), so it ' +
      'cannot draw what a representation says. Import the MAGE checkpoint of RCG. Nothing was changed.',
  ),
  {
    name: 'MAGE of RCG',
    matches: (keys) => keys.has(MAGE_KEY),
    encoder: 'mocov3',
    routes: [
      { prefix: 'pretrained_encoder.', kind: 'encoder', within: 'mage' },
      { prefix: 'vqgan.', kind: 'vqgan', within: 'mage' },
      { prefix: '', kind: 'mage', within: null },
    ],
    ignored: [],
  },
  refused(
    'Stable Diffusion',
    (keys) =>
      keys.any('cond_stage_model.transformer.') ||
      keys.any('cond_stage_model.model.') ||
      keys.any('conditioner.embedders.') ||
      keys.any('model.diffusion_model.joint_blocks.') ||
      keys.any('text_model.') ||
      keys.any('lora_') ||
      keys.any('down_blocks.'),
    `This is a Stable Diffusion model or a part of one. ${STRANGER}`,
  ),
  refused(
    'LDM pixel generator',
    (keys) => (keys.any(UNET) || keys.any(UNET_EMA)) && keys.any('first_stage_model.'),
    `This is the latent diffusion (LDM) pixel generator, which is not supported yet. ${NOT_YET}`,
  ),
  refused(
    'diffusion UNet',
    (keys) => keys.any(UNET) || keys.any(UNET_EMA),
    `This is a latent diffusion or Stable Diffusion network. ${STRANGER}`,
  ),
  refused(
    'DiT pixel generator',
    (keys) => keys.has('x_embedder.proj.weight') && keys.any('rep_embedder.'),
    `This is the DiT pixel generator, which is not supported yet. ${NOT_YET}`,
  ),
  refused(
    'DiT',
    (keys) => keys.has('x_embedder.proj.weight') && keys.any('final_layer.'),
    `This is a diffusion transformer without representation condition. ${STRANGER}`,
  ),
  refused(
    'ADM pixel generator',
    (keys) => keys.has('input_blocks.0.0.weight') && keys.any('rep_proj.'),
    `This is the ADM pixel generator, which is not supported yet. ${NOT_YET}`,
  ),
  refused(
    'guided diffusion',
    (keys) => keys.has('input_blocks.0.0.weight'),
    `This is a diffusion UNet without representation condition. ${STRANGER}`,
  ),
  {
    name: 'RDM',
    matches: (keys) => keys.any(EMA_PREFIX) || keys.any(LIVE_PREFIX),
    encoder: 'mocov3',
    routes: [
      { prefix: 'pretrained_encoder.', kind: 'encoder', within: 'rdm' },
      { prefix: EMA_PREFIX, kind: 'rdm', within: null },
    ],
    ignored: [
      {
        pattern: /^model\.diffusion_model\./,
        why: 'live weights: sampling uses the averaged ones',
      },
      { pattern: /^model_ema\.(decay|num_updates)$/, why: 'state of the averaging' },
      {
        pattern:
          /^(betas|alphas_cumprod|alphas_cumprod_prev|sqrt_alphas_cumprod|sqrt_one_minus_alphas_cumprod|log_one_minus_alphas_cumprod|sqrt_recip_alphas_cumprod|sqrt_recipm1_alphas_cumprod|posterior_variance|posterior_log_variance_clipped|posterior_mean_coef1|posterior_mean_coef2)$/,
        why: 'noise schedule: checked, and computed again when sampling',
      },
      { pattern: /^(logvar|lvlb_weights|scale_factor)$/, why: 'used in training only' },
    ],
  },
  refused(
    'ResNet encoder',
    (keys) => keys.has('base_encoder.conv1.weight') || keys.has('module.base_encoder.conv1.weight'),
    'This is a MoCo v3 encoder with a ResNet; RCG uses the vision transformers (ViT). Nothing was changed.',
  ),
  {
    name: 'MoCo v3 encoder',
    matches: (keys) => keys.any('base_encoder.') || keys.any('module.base_encoder.'),
    encoder: 'mocov3',
    routes: [
      { prefix: 'module.base_encoder.', kind: 'encoder', within: null },
      { prefix: 'base_encoder.', kind: 'encoder', within: null },
    ],
    ignored: [
      { pattern: /^(module\.)?momentum_encoder\./, why: 'slow copy of the encoder, for training' },
      { pattern: /^(module\.)?predictor\./, why: 'used in training only' },
    ],
  },
  refused(
    'VQGAN of latent diffusion',
    (keys) => keys.has('quantize.embedding.weight') && keys.any('quant_conv.'),
    'This is a VQGAN of another design (it has quant_conv); MAGE needs its own tokenizer. Nothing was changed.',
  ),
  {
    name: 'MAGE tokenizer',
    matches: (keys) => keys.has('quantize.embedding.weight') && keys.any('decoder.'),
    routes: [
      { prefix: 'encoder.', kind: 'vqgan', within: null, keep: true },
      { prefix: 'decoder.', kind: 'vqgan', within: null, keep: true },
      { prefix: 'quantize.', kind: 'vqgan', within: null, keep: true },
    ],
    ignored: [{ pattern: /^loss\./, why: 'used in training only' }],
  },
  {
    name: 'DINO or iBOT encoder',
    matches: (keys) => keys.has('backbone.patch_embed.proj.weight'),
    encoder: 'dino',
    routes: [
      { prefix: 'backbone.', kind: 'encoder', within: null },
      { prefix: 'head.', kind: 'encoder', within: null, keep: true },
    ],
    ignored: [],
  },
  {
    name: 'DeiT encoder',
    // A classifier under "state_dict" would be MoCo v3's linear evaluation.
    matches: (keys) =>
      keys.section === 'model' && keys.has('patch_embed.proj.weight') && keys.has('head.weight'),
    encoder: 'deit',
    routes: [{ prefix: '', kind: 'encoder', within: null }],
    ignored: [],
  },
  {
    // DINO's backbone, MoCo v3 made ready for DeiT, timm's models: bare, they all look the same.
    name: 'vision transformer',
    matches: (keys) => keys.has('patch_embed.proj.weight') && keys.has('blocks.0.attn.qkv.weight'),
    routes: [{ prefix: '', kind: 'encoder', within: null }],
    ignored: [],
  },
];

/** Weights of a network that sampling never reads, by canonical name. */
export const UNUSED: Readonly<Record<NetworkKind, readonly Ignored[]>> = {
  encoder: [
    { pattern: /(^|\.)num_batches_tracked$/, why: 'counter of training' },
    { pattern: /^head\.(last_layer|mlp2)/, why: 'output layer of training' },
    { pattern: /^masked_embed$/, why: 'used in training only' },
    { pattern: /^head\.(weight|bias)$/, why: 'classifier: RCG uses the feature before it' },
  ],
  rdm: [],
  mage: [
    {
      pattern:
        /^(cls_token|pos_embed|mask_token|decoder_pos_embed|token_emb\.position_ids|patch_embed\..*|decoder_pred\..*)$/,
      why: 'stored but never used by MAGE',
    },
  ],
  vqgan: [],
};

/** Misspelt blocks of the released ViT-L encoder, on canonical names (spec 2.4). */
export const MISSPELT: readonly (readonly [wrong: string, right: string])[] = [
  ['blocks.13.norm13.', 'blocks.13.norm1.'],
  ['blocks.13.mlp.fc13.', 'blocks.13.mlp.fc1.'],
  ['blocks.14.norm14.', 'blocks.14.norm2.'],
  ['blocks.14.mlp.fc14.', 'blocks.14.mlp.fc2.'],
];
