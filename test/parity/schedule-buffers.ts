const STEPS = 1000;

/**
 * The twelve buffers that an RDM file stores of its noise schedule (spec 3.2 and 3.3), computed here
 * apart from the product: β = linspace(√0.0015, √0.0195)², posteriors of the usual diffusion, all in
 * float64 and then rounded.
 */
export function scheduleBuffers(): Readonly<Record<string, Float32Array<ArrayBuffer>>> {
  const start = Math.sqrt(0.0015);
  const gap = (Math.sqrt(0.0195) - start) / (STEPS - 1);
  const betas = Array.from({ length: STEPS }, (_, i) => (start + gap * i) ** 2);
  const cumulative: number[] = [];
  for (const beta of betas) cumulative.push((cumulative.at(-1) ?? 1) * (1 - beta));
  const previous = [1, ...cumulative.slice(0, -1)];
  const each = (compute: (beta: number, a: number, before: number) => number) =>
    Float32Array.from(betas, (beta, i) => compute(beta, cumulative[i] ?? NaN, previous[i] ?? NaN));
  const variance = (beta: number, a: number, before: number) => (beta * (1 - before)) / (1 - a);
  return {
    betas: each((beta) => beta),
    alphas_cumprod: each((_, a) => a),
    alphas_cumprod_prev: each((_, __, before) => before),
    sqrt_alphas_cumprod: each((_, a) => Math.sqrt(a)),
    sqrt_one_minus_alphas_cumprod: each((_, a) => Math.sqrt(1 - a)),
    log_one_minus_alphas_cumprod: each((_, a) => Math.log(1 - a)),
    sqrt_recip_alphas_cumprod: each((_, a) => Math.sqrt(1 / a)),
    sqrt_recipm1_alphas_cumprod: each((_, a) => Math.sqrt(1 / a - 1)),
    posterior_variance: each(variance),
    posterior_log_variance_clipped: each((beta, a, before) =>
      Math.log(Math.max(variance(beta, a, before), 1e-20)),
    ),
    posterior_mean_coef1: each((beta, a, before) => (beta * Math.sqrt(before)) / (1 - a)),
    posterior_mean_coef2: each((beta, a, before) => ((1 - before) * Math.sqrt(1 - beta)) / (1 - a)),
  };
}
