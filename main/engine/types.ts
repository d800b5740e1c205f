/** Element types that cross the border of a graph; nothing else does. */
export type TensorData = Float32Array | Int32Array | Uint8Array;

/** A dense row-major tensor. */
export interface Tensor<D extends TensorData = TensorData> {
  readonly shape: readonly number[];
  readonly data: D;
}

/** Inputs of one evaluation, by name. */
export type Feeds = Readonly<Record<string, Tensor>>;

/** One graph, ready to run: named inputs in, the named outputs out. */
export type Network = (
  feeds: Feeds,
  fetches: readonly string[],
) => Promise<Readonly<Record<string, Tensor>>>;

/**
 * The five graphs of an RCG, as functions. A bundle may lack some; what needs a missing one says so.
 * B pictures, D representation size, N = 256 tokens of a 16×16 grid, K codes, S picture side.
 */
export interface Networks {
  /**
   * Pictures to representations. `image` u8 [B,S,S,3] → `representation` f32 [B,D], standardised;
   * also `feature` [B,W] and `projection` [B,D].
   */
  readonly encoder?: Network;
  /**
   * A run of DDIM steps of the RDM (spec 3.4). `x` f32 [B,D], `noise` f32 [n,B,D], `timesteps` f32
   * [n], `coefficients` f32 [n,7] = (√(1/ā), √(1/ā−1), √(1−a), √a, √a', direction, σ), and for a
   * class-conditional RDM `labels` i32 [B] → `representation` f32 [B,D]: the state after n steps.
   */
  readonly rdm?: Network;
  /**
   * One MAGE decoding step (spec 4.4). R = B rows, or 2B when guided: conditional rows first.
   * `tokens` i32 [B,N] (mask id where unknown), `representation` f32 [R,D], `is_null` f32 [R] (1:
   * the learned null condition replaces the row), `guidance` f32 [B] (this step's weight),
   * `uniforms` f32 [B,N] in (0,1) for the draw of codes, `confidence_noise` f32 [B,N] (already
   * scaled), `mask_count` i32 [B] → `sampled` i32 [B,N] (draws and known tokens), `tokens_out` i32
   * [B,N] (re-masked), `probability` f32 [B,N] of each sampled token (+∞ where it was known),
   * `entropy` f32 [B,N] in bits and `second_probability` f32 [B,N] of the code that is second in
   * likelihood (both 0 where the token was known).
   */
  readonly mage?: Network;
  /** Tokens to pixels. `tokens` i32 [B,N] → `image` u8 [B,S,S,3], `pixels` f32 [B,3,S,S]. */
  readonly decoder?: Network;
  /** Pixels to tokens. `image` u8 [B,S,S,3] → `tokens` i32 [B,N]; also `latent` f32 [B,z,16,16]. */
  readonly tokenizer?: Network;
}

/** Sizes that the stages need to know of a model. */
export interface ModelSizes {
  /** D: length of a representation. */
  readonly representation: number;
  /** N: tokens of a picture (256). */
  readonly tokens: number;
  /** K: codes of the codebook; a token is 0…K−1. */
  readonly codes: number;
  /** The id that stands for a token not known yet. */
  readonly maskId: number;
  /** S: side of the square pictures that decoder, tokenizer and encoder take, in pixels. */
  readonly imageSize: number;
  /** Labels of a class-conditional RDM; 0 when it is unconditional. */
  readonly classes: number;
  /** The label that means "any class", where the RDM was trained with one. */
  readonly unconditionalClass: number | null;
}

/** How the guidance weight grows over the decoding steps. Only `linear` is in the paper. */
export type GuidanceSchedule = 'linear' | 'constant' | 'cosine' | 'none';

/** Settings of MAGE's iterative decoding (spec 4.4). */
export interface DecodingSettings {
  /** 1…256 */
  readonly steps: number;
  /** T, the scale of the Gumbel noise on confidences; ≥ 0. */
  readonly temperature: number;
  /** Weight of the last step, 0 = off. The paper's τ: 6 here is 7 where 1 means off. */
  readonly guidance: number;
  readonly schedule: GuidanceSchedule;
}

/** Where the representations of a plan come from. */
export type RepresentationSource =
  | {
      readonly kind: 'sample';
      /** Asked for; the grid may run a few more (spec 3.4). 1…500 */
      readonly steps: number;
      readonly eta: number;
      /** One label a picture; null draws one from the seed where there is no unconditional label. */
      readonly labels: readonly (number | null)[] | null;
    }
  | {
      readonly kind: 'given';
      /** f32 [B,D] */
      readonly values: Float32Array;
    };

/** A grid to start from instead of an all-masked one: a region edit, or a resumed picture. */
export interface StartGrid {
  /** i32 [B,N], mask id where the token is to be made. */
  readonly tokens: Int32Array;
  /** First step to run, 0 for an edit. */
  readonly step: number;
  /** Masked tokens when step 0 began, for each picture: what the cosine schedule is spread over. */
  readonly maskedAtStart: readonly number[];
}

/** Everything the engine needs to make some pictures: numbers only, every default filled in. */
export interface Plan {
  /** One a picture, safe integers ≥ 0. Picture i of a job has seed s + i. */
  readonly seeds: readonly number[];
  readonly source: RepresentationSource;
  readonly decoding: DecodingSettings;
  readonly start?: StartGrid;
}
