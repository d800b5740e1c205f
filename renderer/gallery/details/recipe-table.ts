import type { ResolvedTarget } from '#api/recipe';
import type { ImageDetail } from '#api/images';
import type { JobSource } from '#api/jobs';
import type { Draft } from '../../state/draft.svelte.ts';
import {
  isForeign,
  RECIPE_FIELDS,
  sourceOf,
  startsAs,
  valuesOf,
  type RecallField,
} from '../../state/draft-values.ts';
import type { I18n, Words } from '../../state/i18n.svelte.ts';
import { remembered, type Models } from '../../state/models.svelte.ts';

/** A row of the table: what the picture was made with, and what Generate would use now. */
export interface RecipeRow {
  readonly key: string;
  readonly name: string;
  readonly value: string;
  /** The value's language, where it is not the window's. */
  readonly lang?: Words['lang'];
  /** Null: the same. */
  readonly yours: string | null;
  readonly yoursLang?: Words['lang'];
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
  const differing = draft.differences(detail);
  const fields = RECIPE_FIELDS.flatMap((field): readonly RecipeRow[] => {
    const value = theirs[field];
    if (value === undefined) return [];
    const own = draft.value[field];
    const [its, yours]: readonly [Words, Words] =
      field === 'label'
        ? [labelWords(i18n, detail), models.classWords(models.current, draft.value.label, i18n)]
        : [{ text: fieldText(i18n, field, value) }, { text: fieldText(i18n, field, own) }];
    return [
      {
        key: field,
        name: rowName(i18n, field),
        value: its.text,
        lang: its.lang,
        yours: differing.includes(field) ? yours.text : null,
        yoursLang: yours.lang,
        field,
        mono: field === 'seed',
      },
    ];
  });
  const facts = factsOf(detail, yours).map((fact) => ({
    ...fact,
    yours: fact.yours === fact.value && !differing.includes(fact.key) ? null : fact.yours,
    field: differing.includes(fact.key) ? fact.key : null,
    mono: false,
  }));
  // Numbers of a picture that no RCG made say nothing, and there is nothing to compare.
  if (isForeign(detail)) return facts.map((fact) => ({ ...fact, yours: null, field: null }));
  return [...facts.slice(0, 2), ...fields, ...facts.slice(2)];
}

/** What of a recipe is no number: where it began, with what, and where it ran. */
function factsOf(detail: ImageDetail, { i18n, models, draft, target }: Yours) {
  const { recipe, modelTitle } = detail;
  const { current } = models;
  const kind = recipe.source.kind;
  const begun = kind === 'representation' ? sourceText(i18n, sourceOf(detail)) : null;
  const here = startsAs(draft.source, detail);
  const value = detail.importedAs ?? begun ?? i18n.t(`source.${kind}`);
  const sameModel = current?.id === recipe.model.id;
  const yourModel: Words =
    current === null ? { text: i18n.t('state.none') } : i18n.words(current.title);
  const model = remembered(i18n, modelTitle, recipe.model.id);
  const ran = i18n.t(`target.${recipe.target}`);
  const own = draft.value.target ?? 'cpu';
  const yours = own === 'cpu' ? target : own;
  return [
    {
      key: 'source' as const,
      name: i18n.t('details.source'),
      value,
      yours: here ? value : sourceText(i18n, draft.source),
    },
    {
      key: 'model' as const,
      name: i18n.t('field.model'),
      value: model.text,
      lang: model.lang,
      yours: sameModel ? model.text : yourModel.text,
      yoursLang: yourModel.lang,
    },
    {
      key: 'target' as const,
      name: i18n.t('inspect.ranOn'),
      value: ran,
      yours: yours === null ? ran : i18n.t(`target.${yours}`),
    },
  ];
}

/** The short names of the table: the paper's stages tell the two kinds of steps apart. */
export function rowName(i18n: I18n, field: (typeof RECIPE_FIELDS)[number]): string {
  if (field === 'rdmSteps') return i18n.t('details.rdmSteps');
  return field === 'steps' ? i18n.t('details.mageSteps') : i18n.t(`field.${field}`);
}

/** The class that a picture was drawn as; no words where none was asked for. */
export function labelWords(i18n: I18n, { className, recipe }: ImageDetail): Words {
  if (recipe.source.kind !== 'sample') return { text: '' };
  const { label } = recipe.source;
  if (label === null) return { text: i18n.t('class.any') };
  return className === null ? { text: String(label) } : i18n.words(className);
}

export function fieldText(
  i18n: I18n,
  field: Exclude<(typeof RECIPE_FIELDS)[number], 'label'>,
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

function sourceText(i18n: I18n, source: JobSource): string {
  return source.kind === 'sample'
    ? i18n.t('source.sample')
    : i18n.t('source.image', { image: String(source.image) });
}
