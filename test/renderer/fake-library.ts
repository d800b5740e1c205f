import type { Board, LibrarySummary, SearchImages, SearchResult } from '../../main/api/gallery.ts';
import type { ImageDetail, ImageRow, ReplayResult, UpdateImages } from '../../main/api/images.ts';
import type { Job } from '../../main/api/jobs.ts';
import type { UndoState, UndoSteps } from '../../main/api/undo.ts';
import { fakeSteps } from './fake-decode.ts';
import { numbers } from './fake-pictures.ts';

const HASH = 'a'.repeat(64);
const D = 256;

/** Pictures in memory: enough of a library for the interface to be used and looked at. */
export class FakeLibrary {
  readonly images = new Map<number, ImageDetail>();
  boards: Board[] = [{ id: 1, name: 'Favourites', count: 0 }];
  undone: {
    undo: () => void;
    kind: 'rate' | 'star' | 'tag' | 'note' | 'board' | 'delete';
    count: number;
  }[] = [];
  #next = 1;

  /** Adds the picture of a job; `made` is its time. */
  add(job: Pick<Job, 'id' | 'settings' | 'source'>, index: number, made = Date.now()): ImageDetail {
    const id = this.#next++;
    const { settings } = job;
    const seed = settings.seed + index;
    const next = numbers(seed);
    const values = Float32Array.from({ length: D }, () => {
      const angle = 2 * Math.PI * next();
      return Math.sqrt(-2 * Math.log(next() + 1e-9)) * Math.cos(angle);
    });
    const tokens = fakeSteps(seed, settings.steps).at(-1)?.tokens ?? [];
    const kind = job.source.kind;
    const image: ImageDetail = {
      id,
      seed,
      createdAt: made,
      rating: seed % 6,
      starred: seed % 7 === 0,
      operation: kind === 'image' ? 'variation' : 'generate',
      children: 0,
      file: 'present',
      size: 128,
      guidance: settings.guidance,
      deletedAt: null,
      version: `${id}`,
      recipe: {
        version: 1,
        software: 'rcg-studio 0.1.0',
        model: { id: settings.model, hash: HASH },
        target: 'cpu-int8',
        seed,
        source:
          job.source.kind === 'image'
            ? { kind: 'representation', name: String(job.source.image) }
            : {
                kind: 'sample',
                rdmSteps: settings.rdmSteps,
                eta: settings.eta,
                label: settings.label,
              },
        steps: settings.steps,
        temperature: settings.temperature,
        guidance: settings.guidance,
        schedule: settings.schedule,
        representation: Buffer.from(values.buffer).toString('base64'),
        tokens: Buffer.from(Uint16Array.from(tokens).buffer).toString('base64'),
        tokenHash: HASH,
      },
      modelTitle: 'Starter',
      className: null,
      path: `2026/${id}.png`,
      bytes: 21_000 + (id % 50) * 130,
      note: '',
      tags: id % 5 === 0 ? ['planet'] : [],
      boards: [],
      job: job.id,
      parents:
        job.source.kind === 'image' ? [{ id: job.source.image, operation: 'variation' }] : [],
      childIds: [],
      times: { representation: 212, tokens: 1310, pixels: 96 },
      replay: null,
    };
    this.images.set(id, image);
    return image;
  }

  rows(ids: readonly number[]): readonly ImageRow[] {
    return ids.flatMap((id) => this.images.get(id) ?? []);
  }

  search({ filter, sort }: SearchImages): SearchResult {
    const found = [...this.images.values()].filter((image) => {
      if ((image.deletedAt !== null) !== (filter.bin ?? false)) return false;
      if (filter.starred === true && !image.starred) return false;
      if (filter.unrated === true && image.rating > 0) return false;
      if (filter.job !== undefined && image.job !== filter.job) return false;
      if (filter.board !== undefined && !image.boards.includes(filter.board)) return false;
      if (filter.tags?.some((tag) => !image.tags.includes(tag))) return false;
      const text = filter.text ?? '';
      return text === '' || String(image.seed) === text || image.tags.includes(text);
    });
    const value = (image: ImageDetail) =>
      sort.by === 'rdmSteps' || sort.by === 'eta'
        ? 0
        : sort.by in image.recipe && sort.by !== 'seed'
          ? Number(image.recipe[sort.by as 'steps'])
          : Number(image[sort.by as 'seed']);
    found.sort((a, b) => (value(a) - value(b) || a.id - b.id) * (sort.descending ? -1 : 1));
    const days = new Map<string, number>();
    for (const image of found) {
      const day = new Date(image.createdAt).toISOString().slice(0, 10);
      days.set(day, (days.get(day) ?? 0) + 1);
    }
    return {
      ids: found.map((image) => image.id),
      days: sort.by === 'createdAt' ? [...days].map(([day, count]) => ({ day, count })) : [],
    };
  }

  update(change: UpdateImages): UndoState {
    const before = change.ids.flatMap((id) => this.images.get(id) ?? []);
    for (const image of before) {
      const tags = image.tags.filter((tag) => !change.removeTags?.includes(tag));
      this.images.set(image.id, {
        ...image,
        rating: change.rating ?? image.rating,
        starred: change.starred ?? image.starred,
        note: noteAfter(image.note, change),
        tags: [...new Set([...tags, ...(change.addTags ?? [])])],
        boards: [
          ...image.boards.filter((board) => board !== change.removeFromBoard),
          ...(change.addToBoard === undefined ? [] : [change.addToBoard]),
        ],
      });
    }
    const kind =
      change.rating !== undefined ? 'rate' : change.starred !== undefined ? 'star' : 'tag';
    return this.#did(kind, before);
  }

  remove(ids: readonly number[], deletedAt: number | null): UndoState {
    const before = ids.flatMap((id) => this.images.get(id) ?? []);
    for (const image of before) this.images.set(image.id, { ...image, deletedAt });
    return this.#did('delete', before);
  }

  purge(ids: readonly number[]): number {
    const gone = ids.filter((id) => (this.images.get(id)?.deletedAt ?? null) !== null);
    for (const id of gone) this.images.delete(id);
    return gone.length;
  }

  replay(image: ImageDetail): ReplayResult {
    const replay = { differing: 0, target: 'cpu-int8', checkedAt: Date.now() } as const;
    this.images.set(image.id, { ...image, replay });
    return { ...replay, tokens: 256, recordedTarget: image.recipe.target };
  }

  rebuild(image: ImageDetail): ImageDetail {
    const rebuilt: ImageDetail = { ...image, file: 'present' };
    this.images.set(image.id, rebuilt);
    return rebuilt;
  }

  /** The imported ones cannot be made again. */
  dropPixels(ids: readonly number[]) {
    const all = ids.flatMap((id) => this.images.get(id) ?? []);
    const going = all.filter((image) => image.file === 'present' && image.operation !== 'import');
    for (const image of going) this.images.set(image.id, { ...image, file: 'dropped' });
    const bytes = going.reduce((sum, image) => sum + image.bytes, 0);
    const counts = { kept: all.length - going.length, gone: ids.length - all.length };
    return { dropped: going.length, bytes, ...counts };
  }

  undo(): UndoState {
    this.undone.pop()?.undo();
    return this.state();
  }

  state(): UndoState {
    const last = this.undone.at(-1);
    const { kind, count } = last ?? { kind: 'rate', count: 0 };
    return {
      undo: last === undefined ? null : { id: this.undone.length, kind, count },
      redo: null,
    };
  }

  steps(): UndoSteps {
    const undo = this.undone.map(({ kind, count }, place) => ({
      ...{ id: place + 1, kind, count },
      at: Date.now(),
    }));
    return { undo: undo.toReversed(), redo: [] };
  }

  summary(): LibrarySummary {
    const all = [...this.images.values()];
    const live = all.filter((image) => image.deletedAt === null);
    const tags = new Map<string, number>();
    for (const tag of live.flatMap((image) => image.tags)) tags.set(tag, (tags.get(tag) ?? 0) + 1);
    return {
      folder: '/home/you/Pictures/Emoji studies',
      total: live.length,
      starred: live.filter((image) => image.starred).length,
      unrated: live.filter((image) => image.rating === 0).length,
      imported: 0,
      bin: all.length - live.length,
      bytes: live.reduce((sum, image) => sum + image.bytes, 0),
      boards: this.boards.map((board) => ({
        ...board,
        count: live.filter((image) => image.boards.includes(board.id)).length,
      })),
      tags: [...tags].map(([name, count]) => ({ name, count })),
      searches: [],
      lastBackup: Date.UTC(2026, 10, 23, 7, 2),
    };
  }

  #did(kind: 'rate' | 'star' | 'tag' | 'delete', before: readonly ImageDetail[]): UndoState {
    const undo = () => {
      for (const image of before) this.images.set(image.id, image);
    };
    this.undone.push({ undo, kind, count: before.length });
    return this.state();
  }
}

function noteAfter(old: string, { note, addNote }: UpdateImages): string {
  if (addNote === undefined) return note ?? old;
  return old === '' ? addNote : `${old}\n${addNote}`;
}
