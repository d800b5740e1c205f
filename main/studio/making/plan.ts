import { StudioError } from '#api/errors';
import { guidanceSchedule, LIMITS, requestedTarget, type RequestedTarget } from '#api/recipe';
import type { Manifest, NetworkKind } from '#bundle/manifest';
import type { Methods } from '#worker/protocol';
import { findClass } from './classes.ts';
import { oneOf, realNumber, wholeNumber, type Given } from './numbers.ts';

type Plan = Methods['generate']['request']['plan'];

/**
 * Pictures that run through the networks together when nothing else is asked for: more give some
 * more a minute, but the first of them later.
 */
const DEFAULT_CHUNK = 2;

/** What a person may ask for. What is absent is filled in from the model's recommended settings. */
export interface GenerateRequest {
  readonly count?: Given | undefined;
  readonly seed?: Given | undefined;
  readonly guidance?: Given | undefined;
  readonly guidanceSchedule?: string | undefined;
  readonly temperature?: Given | undefined;
  readonly steps?: Given | undefined;
  readonly rdmSteps?: Given | undefined;
  readonly eta?: Given | undefined;
  /** Name of a class in any of its languages, or its index. */
  readonly class?: Given | undefined;
  readonly chunk?: Given | undefined;
  readonly target?: string | undefined;
}

/** Everything decided: numbers within their limits, nothing left to default. */
export interface GenerateSettings {
  /** One a picture: seed, seed + 1, … */
  readonly seeds: readonly number[];
  readonly target: RequestedTarget;
  readonly chunk: number;
  readonly decoding: Plan['decoding'];
  readonly rdmSteps: number;
  readonly eta: number;
  readonly label: number | null;
}

/** What else the decision depends on. */
export interface PlanContext {
  readonly manifest: Manifest;
  /** Whether the RDM makes the representations, or they come from a picture or a file. */
  readonly source: 'sample' | 'given';
  /** Seed for a request that names none. */
  readonly newSeed: () => number;
  /** Pictures when the request does not say. */
  readonly count?: number;
}

/**
 * Fills a request in from the model's recommended settings. Each wrong field is a StudioError
 * `invalid-request` with its name and range; a network that the model lacks is `network-missing`.
 */
export function planGenerate(request: GenerateRequest, context: PlanContext): GenerateSettings {
  const { manifest } = context;
  const { recommended } = manifest;
  requireNetworks(
    manifest,
    context.source === 'sample' ? ['rdm', 'mage', 'vqgan'] : ['mage', 'vqgan'],
  );
  if (context.source === 'given') refuseSampling(request);

  const count = wholeNumber('count', request.count ?? context.count ?? 1, LIMITS.count);
  const first = wholeNumber('seed', request.seed ?? context.newSeed(), {
    min: LIMITS.seed.min,
    max: LIMITS.seed.max - (count - 1),
  });
  const guidance = realNumber(
    'guidance',
    request.guidance ?? recommended.guidance,
    LIMITS.guidance,
  );
  // A weight that is asked for must not be lost to a model that recommends none.
  const usual =
    request.guidance !== undefined && recommended.schedule === 'none'
      ? 'linear'
      : recommended.schedule;
  return {
    seeds: Array.from({ length: count }, (_, i) => first + i),
    target: planTarget(request.target),
    chunk: wholeNumber('chunk', request.chunk ?? DEFAULT_CHUNK, LIMITS.chunk),
    decoding: {
      steps: wholeNumber('steps', request.steps ?? recommended.steps, LIMITS.steps),
      temperature: realNumber(
        'temperature',
        request.temperature ?? recommended.temperature,
        LIMITS.temperature,
      ),
      guidance,
      schedule: oneOf(
        'guidance-schedule',
        request.guidanceSchedule ?? usual,
        guidanceSchedule.options,
      ),
    },
    rdmSteps: wholeNumber('rdm-steps', request.rdmSteps ?? recommended.rdmSteps, LIMITS.rdmSteps),
    eta: realNumber('eta', request.eta ?? recommended.eta, LIMITS.eta),
    label: request.class === undefined ? null : findClass(request.class, manifest),
  };
}

/** The target of a request, `cpu` when it names none. */
export function planTarget(given: string | undefined): RequestedTarget {
  return oneOf('target', given ?? 'cpu', requestedTarget.options);
}

/** The plan whose representations the RDM makes. */
export function samplePlan(settings: GenerateSettings): Plan {
  const { seeds, decoding, rdmSteps, eta, label } = settings;
  const labels = label === null ? null : seeds.map(() => label);
  return { seeds, decoding, source: { kind: 'sample', steps: rdmSteps, eta, labels } };
}

/** The plan for given representations: picture i is of row i, and round again after the last. */
export function givenPlan(settings: GenerateSettings, rows: readonly Float32Array[]): Plan {
  const { seeds, decoding } = settings;
  return { seeds, decoding, source: { kind: 'given', values: repeatRows(rows, seeds.length) } };
}

/** f32 [count,D] */
function repeatRows(rows: readonly Float32Array[], count: number): Float32Array {
  const length = rows[0]?.length ?? 0;
  const values = new Float32Array(count * length);
  for (let i = 0; i < count; i++) {
    const row = rows[i % rows.length];
    if (row !== undefined) values.set(row, i * length);
  }
  return values;
}

/** What a person loses without each network. */
const NEEDED_FOR: Readonly<Record<NetworkKind, string>> = {
  encoder: 'read pictures into representations',
  rdm: 'invent representations (give it a picture with --from-image, or a file with --representation)',
  mage: 'turn representations into tokens',
  vqgan: 'turn tokens into pixels',
};

/** Refuses, as `network-missing`, a model that lacks one of some networks. */
export function requireNetworks(manifest: Manifest, kinds: readonly NetworkKind[]): void {
  const missing = kinds.find((kind) => manifest.networks[kind] === undefined);
  if (missing === undefined) return;
  throw new StudioError(
    'network-missing',
    `Model ${manifest.id} has no ${missing} network, so it cannot ${NEEDED_FOR[missing]}; ` +
      `import it again together with the file that holds it.`,
  );
}

/** Settings of the RDM mean nothing when it does not run; ignoring them would mislead. */
function refuseSampling(request: GenerateRequest): void {
  const fields = [
    ['class', request.class],
    ['rdm-steps', request.rdmSteps],
    ['eta', request.eta],
  ] as const;
  for (const [field, given] of fields) {
    if (given === undefined) continue;
    throw new StudioError(
      'invalid-request',
      `${field} has no effect when the representation comes from a picture or a file; leave it out.`,
      { field },
    );
  }
}
