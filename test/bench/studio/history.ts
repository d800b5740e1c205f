import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageFilter, ImageSort } from '#api/gallery';
import type { History } from '#history/history';
import { openImageFiles } from '#pictures/image-files';
import type { LibraryText } from '#pictures/library-text';
import { encodePng } from '#pictures/pictures';
import { keepPng, pictureTexts } from '#studio/queue/picture-store';
import { recipeOf, scramble } from '../../helpers/library.ts';
import { openHistory, pattern, RARE } from './library.ts';
import { row, timed, type StudioRow } from './rows.ts';

export const NEWEST: ImageSort = { by: 'createdAt', descending: true };
/** As many rows as two screens of the grid show. */
export const PAGE = 100;
export const SEARCH = { most: 50 } as const;
export const NEXT_PAGE = { most: 10 } as const;
export const SIMILAR = { most: 20 } as const;
const INSERT = { most: 15 } as const;

export interface HistoryOptions {
  /** The library's folder. */
  readonly folder: string;
  /** Runs of each question. */
  readonly runs: number;
  readonly say: (message: string) => void;
}

/** Measures what the history answers and keeps, in this process: what every host waits for. */
export async function benchHistory(options: HistoryOptions): Promise<readonly StudioRow[]> {
  const { folder, runs, say } = options;
  say('opening the library');
  const openings = await timed(Math.min(runs, 5), () => {
    const { history, close } = openHistory(folder);
    firstPage(history);
    close();
  });
  const { history, close } = openHistory(folder);
  try {
    firstPage(history);
    say('searching it');
    return [
      row('open the library, to the first page', openings),
      ...(await searches(history, runs)),
      ...(await pages(history, runs)),
      ...(await similar(history, runs)),
      ...(await inserts(history, options)),
    ];
  } finally {
    close();
  }
}

function firstPage(history: History): void {
  const { ids } = history.images.search({ filter: {}, sort: NEWEST });
  history.images.rows(ids.slice(0, PAGE));
  history.images.summary();
}

/** Each kind of filter that a library can be asked for; the first run of each counts, too. */
async function searches(history: History, runs: number): Promise<readonly StudioRow[]> {
  const board = history.boards.list().find(({ name }) => name === 'Cats')?.id ?? 0;
  const guidance = { field: 'guidance', min: 3, max: 6 } as const;
  const rated = { field: 'rating', min: 4 } as const;
  const filters: Readonly<Record<string, ImageFilter>> = {
    everything: {},
    'a range of guidance': { ranges: [guidance] },
    'a class': { labels: [3] },
    'a rating': { ranges: [rated] },
    'not replayed yet': { replays: ['unchecked'] },
    'a version of the software': { software: ['rcg-studio 0.10.0'] },
    'a tag': { tags: ['portrait'] },
    'a board': { board },
    "a common word (a model's name)": { text: 'starter' },
    'a common word (a tag)': { text: 'portrait' },
    'a rare word': { text: RARE },
    'a seed': { text: String(scramble(5)) },
    'a mix of six': {
      text: 'starter',
      ranges: [guidance, rated],
      labels: [1, 2, 3, null],
      tags: ['portrait'],
      schedules: ['linear', 'cosine'],
    },
  };
  const sorts: Readonly<Record<string, ImageSort>> = {
    'everything by seed': { by: 'seed', descending: false },
    'everything by guidance': { by: 'guidance', descending: true },
  };
  const rows: StudioRow[] = [];
  for (const [what, filter] of Object.entries(filters)) {
    const times = await timed(runs, () => history.images.search({ filter, sort: NEWEST }));
    rows.push(row(`search: ${what}`, times, { target: SEARCH }));
  }
  for (const [what, sort] of Object.entries(sorts)) {
    const times = await timed(runs, () => history.images.search({ filter: {}, sort }));
    rows.push(row(`search: ${what}`, times, { target: SEARCH }));
  }
  return [...rows, await afterRating(history, runs)];
}

/** The order by rating after one rating has changed. */
async function afterRating(history: History, runs: number): Promise<StudioRow> {
  const sort = { by: 'rating', descending: true } as const;
  const { ids } = history.images.search({ filter: {}, sort });
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    history.changes.update({ ids: [ids[scramble(run) % ids.length] ?? 1], rating: 1 + (run % 5) });
    times.push(...(await timed(1, () => history.images.search({ filter: {}, sort }))));
  }
  return row('search: everything by rating, one changed', times, { target: SEARCH });
}

/** Pages that nobody has looked at, far from each other. */
async function pages(history: History, runs: number): Promise<readonly StudioRow[]> {
  const { ids } = history.images.search({ filter: {}, sort: NEWEST });
  const times = await timed(runs, (run) => {
    const first = scramble(run) % (ids.length - PAGE);
    history.images.rows(ids.slice(first, first + PAGE));
  });
  return [row(`next page of the gallery, ${PAGE} rows`, times, { target: NEXT_PAGE })];
}

async function similar(history: History, runs: number): Promise<readonly StudioRow[]> {
  const { ids } = history.images.search({ filter: {}, sort: NEWEST });
  const nearest = (run: number) =>
    history.images.similar(ids[scramble(run) % ids.length] ?? 1, PAGE);
  const first = await timed(1, nearest);
  const warm = await timed(runs, (run) => nearest(run + 1));
  return [
    row('similar pictures, the first time', first),
    row('similar pictures, warm', warm, { target: SIMILAR }),
  ];
}

/** Keeps encoded pictures: file, row, and what is held in memory; the disk's own speed beside it. */
async function inserts(history: History, { folder, runs, say }: HistoryOptions) {
  say('keeping pictures');
  const files = openImageFiles(folder);
  const keeper = {
    files,
    history: () => history,
    now: () => Date.now(),
    newId: () => randomUUID().replaceAll('-', ''),
  };
  const times = { encode: [] as number[], keep: [] as number[], flush: [] as number[] };
  for (let run = 0; run < runs; run++) {
    const image = pattern(run);
    const recipe = recipeOf(run);
    const text: LibraryText = {
      version: 1,
      uid: keeper.newId(),
      createdAt: keeper.now(),
      operation: 'generate',
      parents: [],
      times: { representation: 1, tokens: 2, pixels: 3 },
      job: null,
    };
    let png = new Uint8Array();
    const encode = async () => {
      png = new Uint8Array(await encodePng(image, pictureTexts(recipe, text)));
    };
    times.encode.push(...(await timed(1, encode)));
    const picture = {
      ...text,
      parents: [],
      job: null,
      modelTitle: 'Starter',
      recipe,
      text,
      size: image.width,
    };
    times.keep.push(...(await timed(1, () => keepPng(keeper, png, picture))));
    times.flush.push(...(await timed(1, () => writeAndFlush(join(folder, 'flushed'), png))));
    await rm(join(folder, 'flushed'));
  }
  return [
    row('keep a picture that is encoded: file, flush, row', times.keep, { target: INSERT }),
    row('(the disk: write such a file and flush it)', times.flush),
    row('(encode such a picture, 256 pixels)', times.encode),
  ];
}

async function writeAndFlush(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  await file.writeFile(bytes);
  await file.sync();
  await file.close();
}
