import type { ImageFilter, SavedSearch, SearchImages } from '../../main/api/gallery.ts';
import type { ImageDetail } from '../../main/api/images.ts';
import type { createFakeStudio } from './fake-studio.ts';

type Fake = ReturnType<typeof createFakeStudio>;

/** Gives the stand-in's library boards, tags, ratings, families and days, as in a used library. */
export function furnish({ library }: Fake): void {
  const boards = ['Planets', 'Round faces', 'Sign set, round 2', 'Hands', 'Flags that are not'];
  const tags = ['face', 'globe', 'fruit', 'sign', 'print', 'keep', 'heart'];
  library.boards = boards.map((name, index) => ({ id: index + 1, name, count: 0 }));
  for (const [id, image] of library.images) {
    const parent = id % 6 === 2 ? id + 1 : null;
    library.images.set(id, {
      ...image,
      rating: [5, 4, 3, 4, 3, 5, 3, 0][id % 8] ?? 0,
      guidance: [3, 4, 6][id % 3] ?? 3,
      recipe: { ...image.recipe, guidance: [3, 4, 6][id % 3] ?? 3 },
      tags: tags.filter((_, index) => id % (index + 3) === 0),
      boards: id % 9 === 0 ? [1] : id % 7 === 0 ? [2] : [],
      children: id % 6 === 3 ? 3 : 0,
      childIds: id % 6 === 3 ? [id - 1, id + 1, id + 2] : [],
      operation: parent === null ? image.operation : 'variation',
      parents: parent === null ? [] : [{ id: parent, operation: 'variation' }],
      file: id % 31 === 30 ? 'missing' : 'present',
      note: id === 3 ? 'Ocean first, land second' : '',
    });
  }
  const search = (filter: ImageFilter): SearchImages => ({
    filter,
    sort: { by: 'createdAt', descending: true },
  });
  const saved = [
    ['Strong guidance, rated high', search({ ranges: [{ field: 'guidance', min: 4 }] })],
    ['Fruit and veg', search({ tags: ['fruit'] })],
  ] as const;
  const summary = library.summary.bind(library);
  library.summary = () => ({
    ...summary(),
    searches: saved.map(([name, what], index): SavedSearch => ({
      ...{ id: index + 1, name, search: what },
      count: library.search(what).ids.length,
    })),
  });
  filterFully(library);
}

/** The stand-in's search knows few fields; this one knows those that tests use. */
function filterFully(library: Fake['library']): void {
  const plain = library.search.bind(library);
  library.search = (request) => {
    const result = plain(request);
    const { ranges = [], operations = [], parent } = request.filter;
    const ids = result.ids.filter((id) => {
      const image = library.images.get(id);
      if (image === undefined) return false;
      const inRanges = ranges.every(({ field, min, max }) => {
        const value = numberOf(image, field);
        return (min === undefined || value >= min) && (max === undefined || value <= max);
      });
      const made = operations.length === 0 || operations.includes(image.operation);
      const child = parent === undefined || image.parents.some((one) => one.id === parent);
      return inRanges && made && child;
    });
    if (request.sort.by === 'createdAt' && request.sort.descending) {
      ids.sort(
        (a, b) =>
          numberOf(library.images.get(b), 'createdAt') -
          numberOf(library.images.get(a), 'createdAt'),
      );
    }
    return { ids, days: request.sort.by === 'createdAt' ? daysOf(library, ids) : [] };
  };
}

function numberOf(image: ImageDetail | undefined, field: string): number {
  if (image === undefined) return 0;
  const { recipe } = image;
  const sampled = recipe.source.kind === 'sample' ? recipe.source : null;
  const values: Readonly<Record<string, number | undefined>> = {
    ...{ createdAt: image.createdAt, seed: image.seed, guidance: image.guidance },
    ...{ rating: image.rating, temperature: recipe.temperature, steps: recipe.steps },
    ...{ rdmSteps: sampled?.rdmSteps, eta: sampled?.eta },
  };
  return values[field] ?? 0;
}

function daysOf(library: Fake['library'], ids: readonly number[]) {
  const days: { day: string; count: number }[] = [];
  for (const id of ids) {
    const day = new Date(library.images.get(id)?.createdAt ?? 0).toISOString().slice(0, 10);
    const last = days.at(-1);
    if (last?.day === day) last.count++;
    else days.push({ day, count: 1 });
  }
  return days;
}
