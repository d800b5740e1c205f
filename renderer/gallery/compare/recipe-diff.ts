import type { ImageDetail } from '#api/images';
import { isForeign, RECIPE_FIELDS, valuesOf } from '../../state/draft-values.ts';
import { fieldText, labelWords, rowName } from '../details/recipe-table.ts';
import type { I18n, Words } from '../../state/i18n.svelte.ts';
import { remembered } from '../../state/models.svelte.ts';

export interface DiffRow {
  readonly name: string;
  /** One for each picture; empty where the recipe says nothing. */
  readonly values: readonly string[];
  /** The values' languages, where they are not the window's. */
  readonly langs: readonly Words['lang'][];
  readonly differs: boolean;
}

/** A label has a name of its own, which is told instead. */
const FIELDS = RECIPE_FIELDS.filter((field) => field !== 'label');

/** The recipes of several pictures beside each other. */
export function recipeDiff(i18n: I18n, details: readonly ImageDetail[]): readonly DiffRow[] {
  const named = (name: string, words: (detail: ImageDetail) => Words): DiffRow => {
    const told = details.map(words);
    const values = told.map(({ text }) => text);
    const langs = told.map(({ lang }) => lang);
    return { name, values, langs, differs: values.some((value) => value !== values[0]) };
  };
  const row = (name: string, text: (detail: ImageDetail) => string): DiffRow =>
    named(name, (detail) => ({ text: text(detail) }));
  return [
    row(i18n.t('details.source'), ({ recipe }) => i18n.t(`source.${recipe.source.kind}`)),
    named(i18n.t('field.model'), ({ modelTitle, recipe }) =>
      remembered(i18n, modelTitle, recipe.model.id),
    ),
    named(i18n.t('field.label'), (detail) => labelWords(i18n, detail)),
    ...FIELDS.map((field) =>
      row(rowName(i18n, field), (detail) =>
        isForeign(detail) ? '' : fieldText(i18n, field, valuesOf(detail.recipe)[field]),
      ),
    ),
    row(i18n.t('inspect.ranOn'), ({ recipe }) => i18n.t(`target.${recipe.target}`)),
    row(i18n.t('details.tokens'), ({ recipe }) => recipe.tokenHash.slice(0, 8)),
  ];
}
