/** Largest absolute differences that a correct float32 replay may show. */
export const TOLERANCE = {
  representation: 1e-4,
  /** The resized and normalised picture: two implementations of the same bicubic sum. */
  resized: 1e-4,
  rdm: 1e-4,
  ddim: 1e-3,
  schedule: 1e-7,
  latent: 1e-3,
  logits: 1e-3,
  pixels: 1e-3,
  probability: 1e-4,
  /** Guidance weights and temperatures: a few operations on small numbers. */
  scale: 1e-6,
  /** Scaled confidence noise, up to about 200: one float32 step there is 1.5e-5. */
  noise: 1e-4,
} as const;
