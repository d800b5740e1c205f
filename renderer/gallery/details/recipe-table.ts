import type { ResolvedTarget } from '#api/recipe';
import type { ImageDetail, JobSource } from '#api/types';
import { RECIPE_FIELDS, valuesOf, type Draft, type DraftValues } from '../../state/draft.svelte.ts';
import type { I18n } from '../../state/i18n.svelte.ts';
import type { Models } from '../../state/models.svelte.ts';

/** Fields that can be taken over. */
export type RecallField = (typeof RECIPE_FIELDS)[number];

/** A row of the table: what the picture was made with, and what Generate would use now. */
export interface RecipeRow {
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** Null: the same. */
  readonly yours: string | null;
  /** Which setting it is; null for what cannot be taken over. */
  readonly field: RecallField | null;
  readonly mono: boolean;
}

/** What the table compares with. */
export interface Yours {
  readonly i18n: I18n;
  readonly models: Models;
  readonly draft: Draft;
  readonly target: ResolvedTarget | null;
}

/** The recipe of a picture beside the settings of Generate. */
export function recipeRows(detail: ImageDetail, yours: Yours): readonly RecipeRow[] {
  const { i18n, models, draft } = yours;
  const { recipe } = detail;
  const theirs = valuesOf(recipe);
  const model = models.byId(recipe.model.id);
  const differing = draft.differences(recipe);
  const fields = RECIPE_FIELDS.flatMap((field): readonly RecipeRow[] => {
    const value = theirs[field];
    if (value === undefined) return [];
    const text = (values: Partial<DraftValues>) =>
      field === 'label'
        ? models.className(model ?? models.current, values.label ?? null, i18n)
        : fieldText(i18n, field, values[field]);
    return [
      {
        key: field,
        name: rowName(i18n, field),
        value: text(theirs),
        yours: differing.includes(field) ? text(draft.value) : null,
        field,
        mono: field === 'seed',
      },
    ];
  });
  return [...facts(detail, yours), ...fields, ...ranOn(detail, yours)];
}

function facts(detail: ImageDetail, { i18n, models, draft }: Yours): readonly RecipeRow[] {
  const source = sourceText(i18n, detail.recipe.source.kind);
  const current = models.current;
  const sameModel = current?.id === detail.recipe.model.id;
  const yourModel = current === null ? i18n.t('state.none') : i18n.pick(current.title);
  const from = draftSource(i18n, draft.source);
  return [
    fact('source', i18n.t('details.source'), { value: source, yours: from }),
    fact('model', i18n.t('field.model'), {
      value: detail.modelTitle ?? detail.recipe.model.id,
      yours: sameModel ? null : yourModel,
    }),
  ];
}

function ranOn({ recipe }: ImageDetail, { i18n, target }: Yours): readonly RecipeRow[] {
  return [
    fact('target', i18n.t('inspect.ranOn'), {
      value: i18n.t(`target.${recipe.target}`),
      yours: target === null ? null : i18n.t(`target.${target}`),
    }),
  ];
}

function fact(
  key: string,
  name: string,
  { value, yours }: { readonly value: string; readonly yours: string | null },
): RecipeRow {
  return { key, name, value, yours: yours === value ? null : yours, field: null, mono: false };
}

/** The short names of the table: the paper's stages tell the two kinds of steps apart. */
export function rowName(i18n: I18n, field: RecallField): string {
  if (field === 'rdmSteps') return i18n.t('details.rdmSteps');
  return field === 'steps' ? i18n.t('details.mageSteps') : i18n.t(`field.${field}`);
}

export function fieldText(
  i18n: I18n,
  field: Exclude<RecallField, 'label'>,
  value: number | string | null | undefined,
): string {
  if (typeof value === 'string') return i18n.lookup(`schedule.${value}`) ?? value;
  if (value === null || value === undefined) return '';
  if (field === 'seed') return String(value);
  if (field === 'eta') return i18n.number(value, 2);
  if (field === 'temperature' || field === 'guidance') return decimal(i18n, value);
  return i18n.number(value);
}

/** One decimal, or two where there are two. */
function decimal(i18n: I18n, value: number): string {
  return i18n.number(value, Number.isInteger(value * 10) ? 1 : 2);
}

function sourceText(i18n: I18n, kind: ImageDetail['recipe']['source']['kind']): string {
  return i18n.t(`source.${kind}`);
}

function draftSource(i18n: I18n, source: JobSource): string {
  return source.kind === 'sample' ? i18n.t('source.sample') : i18n.t('source.representation');
}
