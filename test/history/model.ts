import type { Recipe } from '#api/recipe';
import { classKey, type ImageFilter, type NumberField, type SearchImages } from '#api/gallery';
import type { UpdateImages, Verdict } from '#api/images';
import type { NewImage } from '#history/types';

// The history as plain objects, as simply as it can be said: what the database is compared with.

export interface Picture {
  readonly id: number;
  readonly image: NewImage;
  deletedAt: number | null;
  rating: number;
  starred: boolean;
  note: string;
  replay: Verdict | null;
  readonly tags: Set<string>;
  readonly boards: Set<number>;
}

export const newPicture = (id: number, image: NewImage): Picture => ({
  id,
  image,
  deletedAt: null,
  rating: 0,
  starred: false,
  note: '',
  replay: null,
  tags: new Set(),
  boards: new Set(),
});

function numberOf(picture: Picture, field: NumberField): number | null {
  const { recipe, createdAt } = picture.image;
  const { source } = recipe;
  switch (field) {
    case 'createdAt':
      return createdAt;
    case 'rating':
      return picture.rating;
    case 'rdmSteps':
    case 'eta':
      return source.kind === 'sample' ? source[field] : null;
    case 'seed':
    case 'guidance':
    case 'temperature':
    case 'steps':
      return recipe[field];
  }
}

function verdictOf({ replay }: Picture): 'match' | 'differ' | 'unchecked' {
  if (replay === null) return 'unchecked';
  return replay.differing === 0 ? 'match' : 'differ';
}

const labelOf = ({ source }: Recipe): number | null =>
  source.kind === 'sample' ? source.label : null;

/** Only what was drawn has a class, if it is "any". */
const classOf = (recipe: Recipe): string =>
  recipe.source.kind === 'sample' ? classKey(recipe.model.id, recipe.source.label) : 'none';

function passes(picture: Picture, filter: ImageFilter): boolean {
  const { image } = picture;
  const among = <T>(list: readonly T[] | undefined, value: T): boolean =>
    list === undefined || list.length === 0 || list.includes(value);
  return (
    (picture.deletedAt !== null) === (filter.bin === true) &&
    (filter.ranges ?? []).every(({ field, min, max }) => {
      if (min === undefined && max === undefined) return true;
      const value = numberOf(picture, field);
      return value !== null && value >= (min ?? -Infinity) && value <= (max ?? Infinity);
    }) &&
    among(filter.models, image.recipe.model.id) &&
    among(filter.schedules, image.recipe.schedule) &&
    among(filter.operations, image.operation) &&
    among(filter.labels, labelOf(image.recipe)) &&
    among(filter.targets, image.recipe.target) &&
    among(filter.software, image.recipe.software) &&
    among(filter.replays, verdictOf(picture)) &&
    among(filter.hashes, image.recipe.model.hash) &&
    among(filter.files, image.fileState ?? 'present') &&
    among(filter.sources, image.recipe.source.kind) &&
    among(filter.classes, classOf(image.recipe)) &&
    (filter.tags ?? []).every((tag) => picture.tags.has(tag)) &&
    (filter.board === undefined || picture.boards.has(filter.board)) &&
    (filter.starred === undefined || picture.starred === filter.starred) &&
    (filter.unrated === undefined || (picture.rating === 0) === filter.unrated) &&
    (filter.job === undefined || image.job?.id === filter.job) &&
    (filter.parent === undefined || (image.parents ?? []).some(({ id }) => id === filter.parent)) &&
    words(filter.text ?? '').every((word) => hasWord(picture, word))
  );
}

/** For the plain words that the properties use. */
const words = (text: string): readonly string[] =>
  text.split(' ').filter((word) => /[\p{L}\p{N}]/u.test(word));

function hasWord({ image, note, tags }: Picture, word: string): boolean {
  const { recipe, modelTitle } = image;
  const texts = [note, recipe.model.id, modelTitle ?? '', ...tags];
  return (
    String(recipe.seed) === word ||
    texts.some((text) =>
      text
        .toLowerCase()
        .split(/[^\p{L}\p{N}]+/u)
        .some((one) => one.startsWith(word.toLowerCase())),
    )
  );
}

export function expectedIds(
  pictures: readonly Picture[],
  { filter, sort }: SearchImages,
): readonly number[] {
  const sign = sort.descending ? -1 : 1;
  return pictures
    .filter((picture) => passes(picture, filter))
    .sort((a, b) => {
      const [left, right] = [numberOf(a, sort.by), numberOf(b, sort.by)];
      if (left !== null && right !== null && left !== right) return sign * (left - right);
      if ((left === null) !== (right === null)) return left === null ? 1 : -1;
      return sign * (a.id - b.id);
    })
    .map(({ id }) => id);
}

/** What an update does to the pictures that it names. */
export function update(pictures: readonly Picture[], request: UpdateImages): void {
  for (const picture of pictures.filter(({ id }) => request.ids.includes(id))) {
    picture.rating = request.rating ?? picture.rating;
    picture.starred = request.starred ?? picture.starred;
    picture.note = request.note ?? picture.note;
    if (request.addNote !== undefined)
      picture.note = [picture.note, request.addNote].filter((part) => part !== '').join('\n');
    for (const tag of request.addTags ?? []) picture.tags.add(tag);
    for (const tag of request.removeTags ?? []) picture.tags.delete(tag);
    if (request.addToBoard !== undefined) picture.boards.add(request.addToBoard);
    if (request.removeFromBoard !== undefined) picture.boards.delete(request.removeFromBoard);
  }
}

/** What can change, to compare and to go back to. */
export const snapshot = (pictures: readonly Picture[]): string =>
  JSON.stringify(
    pictures.map(({ id, deletedAt, rating, starred, note, tags, boards }) => ({
      id,
      deletedAt,
      rating,
      starred,
      note,
      tags: [...tags].sort(),
      boards: [...boards].sort(),
    })),
  );

/** Puts what can change back to a snapshot. */
export function revert(pictures: readonly Picture[], text: string): void {
  const kept = JSON.parse(text) as readonly (Omit<Picture, 'tags' | 'boards' | 'image'> & {
    readonly tags: readonly string[];
    readonly boards: readonly number[];
  })[];
  kept.forEach(({ tags, boards, ...plain }, i) => {
    const picture = pictures[i];
    if (picture === undefined) return;
    const { deletedAt, rating, starred, note } = plain;
    Object.assign(picture, { deletedAt, rating, starred, note });
    picture.tags.clear();
    picture.boards.clear();
    for (const tag of tags) picture.tags.add(tag);
    for (const board of boards) picture.boards.add(board);
  });
}
