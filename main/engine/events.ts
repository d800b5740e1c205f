/** Milliseconds that each stage took for one picture (a batch's stage is shared out evenly). */
export interface StageTimes {
  readonly representation: number;
  readonly tokens: number;
  readonly pixels: number;
}

/** One finished picture. */
export interface Picture {
  /** Index in the plan's seeds. */
  readonly index: number;
  readonly seed: number;
  /** The label that the RDM was given, or null. */
  readonly label: number | null;
  /** f32 [D] */
  readonly representation: Float32Array;
  /** i32 [N] */
  readonly tokens: Int32Array;
  /** u8 [S,S,3] RGB */
  readonly image: Uint8Array;
  readonly size: number;
  readonly times: StageTimes;
}

/** What a picture's decoding looks like after a step. */
export interface StepReport {
  readonly index: number;
  /** Steps done, 1…steps. */
  readonly step: number;
  readonly steps: number;
  /** Weight of the guidance in this step. */
  readonly guidance: number;
  /** i32 [N], mask id where still unknown. */
  readonly tokens: Int32Array;
  /** i32 [N] draws of this step, nothing masked: what a preview decodes. */
  readonly sampled: Int32Array;
  /** f32 [N] probability of each token when it was drawn; +∞ where it was known before. */
  readonly probability: Float32Array;
  /** f32 [N] bits; 0 where it was known before. */
  readonly entropy: Float32Array;
  /** f32 [N] probability of the code that is second in likelihood; 0 where it was known before. */
  readonly second: Float32Array;
}

/** What `generate` tells its caller while it works, in order. */
export type GenerateEvent =
  | {
      readonly kind: 'stage';
      readonly stage: 'representation';
      /** DDIM steps done and to do, counted once for every picture of the plan. */
      readonly done: number;
      readonly total: number;
    }
  | {
      /** What a picture's tokens are about to be drawn for: enough to go on from any later step. */
      readonly kind: 'represented';
      readonly index: number;
      readonly label: number | null;
      /** f32 [D] */
      readonly representation: Float32Array;
    }
  | { readonly kind: 'step'; readonly report: StepReport }
  | { readonly kind: 'picture'; readonly picture: Picture };
