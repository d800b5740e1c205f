import { scramble } from '../../helpers/library.ts';
import { NEWEST, NEXT_PAGE, PAGE, SEARCH, SIMILAR } from './history.ts';
import { row, timed, type StudioRow } from './rows.ts';
import type { Served } from './serve.ts';

/** Measures the same questions as a window asks them: over HTTP, until the answer is read. */
export async function benchHttp(client: Served['client'], runs: number): Promise<StudioRow[]> {
  const { images } = client;
  const { ids } = await images.search({ filter: {}, sort: NEWEST });
  const idAt = (run: number) => ids[scramble(run) % ids.length] ?? 1;
  const text = { text: 'portrait', ranges: [{ field: 'rating', min: 4 } as const] };
  await images.similar({ id: idAt(0), limit: PAGE });
  const everything = await timed(runs, () => images.search({ filter: {}, sort: NEWEST }));
  const some = await timed(runs, () => images.search({ filter: text, sort: NEWEST }));
  const pages = await timed(runs, (run) => {
    const first = scramble(run) % (ids.length - PAGE);
    return images.rows({ ids: ids.slice(first, first + PAGE) });
  });
  const near = await timed(runs, (run) => images.similar({ id: idAt(run + 1), limit: PAGE }));
  return [
    row('over HTTP: search everything', everything, { target: SEARCH }),
    row('over HTTP: search a word and a rating', some, { target: SEARCH }),
    row(`over HTTP: next page, ${PAGE} rows`, pages, { target: NEXT_PAGE }),
    row('over HTTP: similar pictures, warm', near, { target: SIMILAR }),
  ];
}
