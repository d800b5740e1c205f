import type { ImageDetail } from '#api/images';
import { isForeign, RECIPE_FIELDS, valuesOf } from '../../state/draft-values.ts';
import { fieldText, labelText, rowName } from '../details/recipe-table.ts';
import type { I18n } from '../../state/i18n.svelte.ts';

export interface DiffRow {
  readonly name: string;
  /** One for each picture; empty where the recipe says nothing. */
  readonly values: readonly string[];
  readonly differs: boolean;
}

/** A label has a name of its own, which is told instead. */
const FIELDS = RECIPE_FIELDS.filter((field) => field !== 'label');

/** The recipes of several pictures beside each other. */
export function recipeDiff(i18n: I18n, details: readonly ImageDetail[]): readonly DiffRow[] {
  const row = (name: string, text: (detail: ImageDetail) => string): DiffRow => {
    const values = details.map(text);
    return { name, values, differs: values.some((value) => value !== values[0]) };
  };
  return [
    row(i18n.t('details.source'), ({ recipe }) => i18n.t(`source.${recipe.source.kind}`)),
    row(i18n.t('field.model'), ({ modelTitle, recipe }) => modelTitle ?? recipe.model.id),
    row(i18n.t('field.label'), (detail) => labelText(i18n, detail) ?? ''),
    ...FIELDS.map((field) =>
      row(rowName(i18n, field), (detail) =>
        isForeign(detail) ? '' : fieldText(i18n, field, valuesOf(detail.recipe)[field]),
      ),
    ),
    row(i18n.t('inspect.ranOn'), ({ recipe }) => i18n.t(`target.${recipe.target}`)),
    row(i18n.t('details.tokens'), ({ recipe }) => recipe.tokenHash.slice(0, 8)),
  ];
}
