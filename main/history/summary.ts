import type { ImageFilter } from '#api/gallery';
import { listBoards, listSearches, listTags } from './collections.ts';
import { countImages, type Library } from './search.ts';
import type { Store } from './store.ts';
import type { Summary } from './types.ts';

type Totals = Pick<Summary, 'total' | 'starred' | 'unrated' | 'imported' | 'bin' | 'bytes'>;

/** Counts of saved searches, kept until a picture is added or changed. */
export interface Counts {
  of(filter: ImageFilter): number;
  forget(): void;
}

export function createCounts(library: () => Library): Counts {
  const counts = new Map<string, number>();
  return {
    of(filter) {
      const key = JSON.stringify(filter);
      const count = counts.get(key) ?? countImages(library(), filter);
      counts.set(key, count);
      return count;
    },
    forget: () => counts.clear(),
  };
}

/** The numbers of the gallery's side panel. */
export function summary(store: Store, counts: Counts): Summary {
  const totals = store
    .rows<Totals>('SELECT total, starred, unrated, imported, bin, bytes FROM totals')
    .get();
  if (totals === undefined) throw new Error('the totals have no row');
  return {
    ...totals,
    boards: listBoards(store),
    tags: listTags(store),
    searches: listSearches(store).map((saved) => ({
      ...saved,
      count: counts.of(saved.search.filter),
    })),
  };
}
