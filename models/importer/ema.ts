/**
 * Names of the RDM's averaged weights (spec 3.2). The file stores them without dots
 * (`diffusion_modelres_blocks10in_layers2weight`); which dots were deleted is found by making every
 * name that an RDM can have and deleting the dots of it.
 */

/** What stands before every dotless name. */
export const EMA_PREFIX = 'model_ema.diffusion_model';
/** What stands before the weights that training last stepped. */
export const LIVE_PREFIX = 'model.diffusion_model.';

/** More blocks than any RDM has; a file that claims more is not one. */
const MAX_RDM_BLOCKS = 1024;

const OUTER = ['time_embed.0', 'time_embed.2', 'input_proj', 'out.0', 'out.2'];
const BLOCK = [
  'in_layers.0',
  'in_layers.2',
  'emb_layers.1',
  'context_layers.1',
  'out_layers.0',
  'out_layers.3',
];
/** Layer normalisations: their weight has one axis, that of every other layer two. */
const NORMS = /(^|\.)(in_layers\.0|out_layers\.0|out\.0)\.weight$/;

/** Weight and bias of each layer. */
function parameters(layers: readonly string[]): string[] {
  return layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
}

/**
 * Dotted name of every dotless one, for as many blocks as `dotless` shows. Names that no RDM has are
 * left out: the caller reports them.
 */
export function restoreDots(dotless: ReadonlySet<string>): ReadonlyMap<string, string> {
  const restored = new Map<string, string>();
  const offer = (name: string): boolean => {
    const bare = name.replaceAll('.', '');
    if (!dotless.has(bare)) return false;
    restored.set(bare, name);
    return true;
  };
  for (const name of parameters(OUTER)) offer(name);
  for (let block = 0; block < MAX_RDM_BLOCKS; block += 1) {
    const names = parameters(BLOCK.map((layer) => `res_blocks.${block}.${layer}`));
    if (names.filter((name) => offer(name)).length === 0) break;
  }
  return restored;
}

/**
 * Shape without the trailing unit axes that some RDM files carry: a linear layer has two axes, every
 * other parameter one.
 */
export function withoutUnitAxes(name: string, shape: readonly number[]): readonly number[] {
  const axes = name.endsWith('.weight') && !NORMS.test(name) ? 2 : 1;
  const extra = shape.slice(axes);
  return extra.every((size) => size === 1) ? shape.slice(0, axes) : shape;
}
