import {
  classKey,
  parseClassKey,
  type FilterChoices,
  type ImageFilter,
  type LibrarySummary,
  type NumberField,
} from '#api/gallery';
import type { I18n, Words } from '../../state/i18n.svelte.ts';
import { remembered, type Models } from '../../state/models.svelte.ts';
import { boundsOf, isListed, rangeField, type FilterKind } from './chips.ts';

/** What the words of a filter are made of. */
export interface Vocabulary {
  readonly i18n: I18n;
  readonly models: Models;
  readonly summary: LibrarySummary | null;
  /** Null until they were read. */
  readonly choices: FilterChoices | null;
}

/** The name of a condition's field. */
export function kindName(i18n: I18n, kind: FilterKind): string {
  const field = rangeField(kind);
  return i18n.lookup(field === null ? `filter.${kind}` : fieldKey(field)) ?? kind;
}

function fieldKey(field: NumberField): string {
  return field === 'createdAt' || field === 'rating' ? `filter.${field}` : `field.${field}`;
}

/** A condition in words: "Final guidance 3 – 6". */
export function chipText(vocabulary: Vocabulary, filter: ImageFilter, kind: FilterKind): string {
  const { i18n } = vocabulary;
  const name = kindName(i18n, kind);
  const field = rangeField(kind);
  if (field !== null) return `${name} ${rangeText(i18n, filter, field)}`;
  if (isListed(kind)) return `${name} ${listText(vocabulary, filter, kind)}`;
  if (kind === 'starred' || kind === 'unrated') {
    return i18n.t(filter[kind] === true ? `filter.${kind}.yes` : `filter.${kind}.no`);
  }
  const value = filter[kind as 'board' | 'job' | 'parent'];
  const board = vocabulary.summary?.boards.find((candidate) => candidate.id === filter.board);
  return `${name} ${kind === 'board' && board !== undefined ? board.name : (value ?? '')}`;
}

function rangeText(i18n: I18n, filter: ImageFilter, field: NumberField): string {
  const { min, max } = boundsOf(filter, field);
  const text = (value: number) => {
    if (field === 'createdAt') return i18n.day(value);
    return field === 'seed' ? String(value) : i18n.number(value);
  };
  if (min === undefined && max === undefined) return i18n.t('filter.any');
  const star = field === 'rating' ? '★ ' : '';
  if (max === undefined) return i18n.t('filter.from', { value: `${star}${text(min ?? 0)}` });
  if (min === undefined) return i18n.t('filter.to', { value: `${star}${text(max)}` });
  return min === max ? `${star}${text(min)}` : `${star}${text(min)} – ${text(max)}`;
}

function listText(
  vocabulary: Vocabulary,
  filter: ImageFilter,
  kind: FilterKind & keyof ImageFilter,
): string {
  const { i18n } = vocabulary;
  const values = filter[kind];
  if (!Array.isArray(values) || values.length === 0) return i18n.t('filter.any');
  const words = values.map((value) => valueWords(vocabulary, kind, value).text);
  return words.length <= 2
    ? words.join(', ')
    : i18n.t('filter.several', { first: words[0] ?? '', count: words.length - 1 });
}

/** One value of a condition's list, with its language. */
export function valueWords(
  vocabulary: Vocabulary,
  kind: FilterKind,
  value: string | number | null,
): Words {
  const { i18n, choices } = vocabulary;
  switch (kind) {
    case 'models':
      return modelWords(vocabulary, String(value));
    case 'hashes': {
      const id = choices?.models.find(({ hash }) => hash === value)?.id;
      const hash = String(value).slice(0, 8);
      if (id === undefined) return { text: hash };
      const { text, lang } = modelWords(vocabulary, id);
      return { text: `${text} ${hash}`, lang };
    }
    case 'classes':
      return classWords(vocabulary, String(value));
    default:
      return { text: ownText(i18n, kind, value) };
  }
}

/** A value that the catalogue has words for, or that is its own name. */
function ownText(i18n: I18n, kind: FilterKind, value: string | number | null): string {
  switch (kind) {
    case 'labels':
      return typeof value === 'number' ? String(value) : i18n.t('class.any');
    case 'files':
      return i18n.lookup(`filter.files.${value}`) ?? String(value);
    case 'replays':
      return i18n.lookup(`filter.replays.${value}`) ?? String(value);
    case 'sources':
      return i18n.lookup(`source.${value}`) ?? String(value);
    case 'schedules':
      return i18n.lookup(`schedule.${value}`) ?? String(value);
    case 'operations':
      return i18n.lookup(`operation.${value}`) ?? String(value);
    case 'targets':
      return i18n.lookup(`target.${value}`) ?? String(value);
    case 'software':
      return value === '' ? i18n.t('filter.software.none') : String(value);
    default:
      return String(value);
  }
}

/** A model that made pictures: installed, or only remembered by its title. */
function modelWords({ i18n, models, choices }: Vocabulary, id: string): Words {
  const model = models.byId(id);
  if (model !== null) return i18n.words(model.title);
  return remembered(i18n, choices?.models.find((one) => one.id === id)?.title ?? null, id);
}

/** A class, with its model where several have made pictures. */
function classWords(vocabulary: Vocabulary, key: string): Words {
  const { i18n, models, choices } = vocabulary;
  const named = parseClassKey(key);
  if (named === null) return { text: key };
  const name = models.classWords(models.byId(named.model), named.label, i18n);
  const several = new Set(choices?.classes.map(({ model }) => model)).size > 1;
  if (!several) return name;
  const model = modelWords(vocabulary, named.model);
  const text = `${model.text} · ${name.text}`;
  return model.lang === name.lang ? { text, lang: name.lang } : { text };
}

/** The values that a condition's list can have. */
export function choicesOf(
  { choices, summary }: Vocabulary,
  kind: FilterKind,
): readonly (string | number | null)[] {
  switch (kind) {
    case 'models':
      return [...new Set(choices?.models.map(({ id }) => id))];
    case 'hashes':
      return choices?.models.map(({ hash }) => hash) ?? [];
    case 'classes':
      return choices?.classes.map(({ model, label }) => classKey(model, label)) ?? [];
    case 'files':
      return ['present', 'missing', 'dropped'];
    case 'replays':
      return ['match', 'differ', 'unchecked'];
    case 'sources':
      return ['sample', 'picture', 'representation', 'interpolation'];
    case 'schedules':
      return ['linear', 'constant', 'cosine', 'none'];
    case 'operations':
      return ['generate', 'variation', 'interpolation', 'import'];
    case 'targets':
      return ['cpu-int8', 'cpu-float32', 'portable'];
    case 'software':
      return choices?.software.map(({ name }) => name) ?? [];
    case 'tags':
      return summary?.tags.map((tag) => tag.name) ?? [];
    default:
      return [];
  }
}

/** How many pictures a value would find among all; null where nobody counts. */
export function countOf(
  { choices }: Vocabulary,
  kind: FilterKind,
  value: string | number | null,
): number | null {
  if (kind !== 'software') return null;
  return choices?.software.find(({ name }) => name === value)?.count ?? null;
}
