import type { ImageDetail } from '#api/images';
import type { Job } from '#api/jobs';
import { isForeign, valuesOf, type DraftValues } from '../state/draft-values.ts';

/** What is known of the picture on the stage: by its own recipe, or else by the job that makes it. */
export interface Subject {
  readonly model: string;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  readonly temperature: number;
  readonly schedule: DraftValues['schedule'];
  /** Null where the first stage did not run. */
  readonly rdm: { readonly steps: number; readonly label: number | null } | null;
  /** The file that it was read from: no RCG made it, and the numbers say nothing of it. */
  readonly file: string | null;
}

/** A picture that is kept has its recipe, whatever became of its job. */
export function subjectOf(
  detail: ImageDetail | null,
  job: Job | null,
  index: number | null,
): Subject | null {
  if (detail !== null) return ofRecipe(detail);
  return job === null || index === null ? null : ofJob(job, index);
}

function ofRecipe(detail: ImageDetail): Subject {
  const { recipe } = detail;
  const { source } = recipe;
  const { rdmSteps = 0, label = null } = valuesOf(recipe);
  return {
    ...{ model: recipe.model.id, seed: recipe.seed, steps: recipe.steps },
    ...{ guidance: recipe.guidance, temperature: recipe.temperature, schedule: recipe.schedule },
    rdm: source.kind === 'sample' ? { steps: rdmSteps, label } : null,
    file: isForeign(detail) && source.kind === 'picture' ? source.name : null,
  };
}

function ofJob({ settings, source }: Job, index: number): Subject {
  const { model, steps, guidance, temperature, schedule, rdmSteps, label } = settings;
  return {
    ...{ model, steps, guidance, temperature, schedule, seed: settings.seed + index },
    rdm: source.kind === 'sample' ? { steps: rdmSteps, label } : null,
    file: null,
  };
}
