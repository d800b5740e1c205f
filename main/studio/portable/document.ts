import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import { z } from 'zod';
import { StudioError } from '#api/errors';
import { saveSearch } from '#api/gallery';
import { reasonText, type Reason, type ReasonCode } from '#api/reasons';
import type { Marks, PortablePicture, PortableSearch } from '#history/snapshot';
import type { Settings } from '#api/settings';
import { fileError } from '#pictures/files';
import { IMAGE_PATH, MAX_IMAGE_BYTES } from '#pictures/image-files';
import { milliseconds, operation, uid } from '#pictures/library-text';
import { ownSettings } from '../settings.ts';

// A library in words: JSON, one object a line. It holds what PNGs do not, and lies beside them: in
// the library itself, so that a lost record can be made again, and in every copy that is handed on.
// The last line holds the hash of all before it, so that a part is never taken for the whole.

/** The file's name, in a library's folder and in a copy. */
export const DOCUMENT = 'library.jsonl';
const FORMAT = 'rcg-studio-library';
const VERSION = 1;
/** A picture's line has about 200 bytes, 3 kB with its recipe. */
const MAX_LINE_BYTES = 1 << 22;
const CHUNK = 1 << 20;
/** Lines until others have their turn. */
const BREATH = 32;
/** The end of the last year of four digits: pictures lie in folders named by year and month. */
const LATEST_TIME = 253_402_300_799_999;

const time = z.int().min(0).max(LATEST_TIME);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().trim().min(1).max(100);
const names = z.array(name).max(10_000);
const bytes = z.int().positive().max(MAX_IMAGE_BYTES);

const header = z.object({
  kind: z.literal(FORMAT),
  version: z.int(),
  /** Names this writing: never the same again. */
  stamp: uid,
  software: z.string().max(200),
  at: time,
});
// What replays showed is left out: another computer has to see for itself, and here a run tells it again.
const pictureLine = z.strictObject({
  kind: z.literal('picture'),
  uid,
  path: z.string().regex(IMAGE_PATH),
  createdAt: time,
  tokenHash: sha256,
  rating: z.int().min(1).max(5).optional(),
  starred: z.literal(true).optional(),
  note: z.string().min(1).max(10_000).optional(),
  tags: names.optional(),
  boards: names.optional(),
  deletedAt: time.optional(),
  parents: z.array(z.strictObject({ uid, operation })).max(10_000).optional(),
  /** The file that lies beside the document. */
  file: z.strictObject({ size: bytes, sha256 }).optional(),
  /** Everything that a file would say, where there is none. */
  without: z
    .strictObject({
      file: z.enum(['dropped', 'missing']),
      /** Checked as a recipe by who uses it. */
      recipe: z.record(z.string(), z.unknown()),
      operation,
      size: z
        .int()
        .positive()
        .max(2 ** 32),
      bytes: z.int().nonnegative(),
      times: z.strictObject({
        representation: milliseconds,
        tokens: milliseconds,
        pixels: milliseconds,
      }),
    })
    .optional(),
});
const line = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('model'),
    id: z.string().max(10_000),
    hash: sha256,
    title: z.string().max(10_000).nullable(),
  }),
  z.strictObject({ kind: z.literal('board'), name }),
  /** Those that differ from what a studio begins with; each is checked by who uses it. */
  z.strictObject({ kind: z.literal('settings'), values: z.record(z.string(), z.unknown()) }),
  saveSearch.extend({ kind: z.literal('search'), board: name.optional(), parent: uid.optional() }),
  pictureLine,
]);
const end = z.strictObject({ kind: z.literal('end'), sha256 });

/** The document's first line. */
export type DocumentHeader = z.infer<typeof header>;
export type DocumentLine = z.infer<typeof line>;
export type PictureLine = z.infer<typeof pictureLine>;

/** The header of a document that is written now. */
export function documentHeader(about: Pick<DocumentHeader, 'stamp' | 'software' | 'at'>) {
  return { kind: FORMAT, version: VERSION, ...about } as const;
}

/** The line of the settings, where there is anything to say. */
export function settingsLines(settings: Settings): readonly DocumentLine[] {
  const values = ownSettings(settings);
  return Object.keys(values).length === 0 ? [] : [{ kind: 'settings', values }];
}

/** A picture's line, without what it has not. */
export function pictureLineOf(
  picture: PortablePicture,
  rest: Pick<PictureLine, 'file' | 'without'>,
): PictureLine {
  const { uid: of, path, createdAt, tokenHash, rating, starred, note } = picture;
  const { tags, boards, deletedAt, parents } = picture;
  return {
    kind: 'picture',
    uid: of,
    path,
    createdAt,
    tokenHash,
    ...(rating === 0 ? {} : { rating }),
    ...(starred ? { starred } : {}),
    ...(note === '' ? {} : { note }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(boards.length === 0 ? {} : { boards: [...boards] }),
    ...(deletedAt === null ? {} : { deletedAt }),
    ...(parents.length === 0 ? {} : { parents: [...parents] }),
    ...rest,
  };
}

/** What a picture's line says of it. */
export function marksOf(picture: PictureLine): Marks {
  return {
    rating: picture.rating ?? 0,
    starred: picture.starred ?? false,
    note: picture.note ?? '',
    tags: picture.tags ?? [],
    boards: picture.boards ?? [],
    deletedAt: picture.deletedAt ?? null,
  };
}

/** What a search's line says. */
export function searchOf(found: Extract<DocumentLine, { kind: 'search' }>): PortableSearch {
  const { name: of, search, board, parent } = found;
  return { name: of, search, board, parent };
}

/** The document as bytes, piece by piece: its header, the lines as they come, its end. */
export async function* documentBytes(
  first: DocumentHeader,
  lines: AsyncIterable<readonly DocumentLine[]>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  const piece = (objects: readonly object[]): Uint8Array => {
    const text = Buffer.from(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
    hash.update(text);
    return text;
  };
  yield piece([first]);
  for await (const some of lines) if (some.length > 0) yield piece(some);
  yield Buffer.from(`${JSON.stringify({ kind: 'end', sha256: hash.digest('hex') })}\n`);
}

/** A document that is read: its header at once, its lines as they are asked for. */
export interface OpenDocument {
  readonly header: DocumentHeader;
  /**
   * Every line, checked, once; the end of it says that the document was whole. What is wrong is a
   * StudioError with a reason.
   */
  lines(): AsyncGenerator<DocumentLine>;
  close(): Promise<void>;
}

/** Opens a document; null when there is none. */
export async function openDocument(path: string): Promise<OpenDocument | null> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(
    (error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOENT') return null;
      throw code === 'ELOOP' ? wrong('document-damaged', path) : fileError(error, 'read', path);
    },
  );
  if (file === null) return null;
  try {
    if (!(await file.stat()).isFile()) throw wrong('document-damaged', path);
    const hash = createHash('sha256');
    const texts = textLines(file, path);
    const begin = await texts.next();
    const first = header.safeParse(begin.done === true ? null : parse(begin.value));
    if (begin.done === true || !first.success) throw wrong('document-damaged', path);
    if (first.data.version > VERSION) throw wrong('document-newer', path);
    hash.update(begin.value).update('\n');
    return {
      header: first.data,
      async *lines() {
        let ended = false;
        let count = 0;
        for await (const text of texts) {
          const object = parse(text);
          const found = line.safeParse(object);
          if (ended) throw wrong('document-damaged', path);
          // A document may be long, and its lines come without waiting.
          if (++count % BREATH === 0) await breathe();
          if (found.success) {
            hash.update(text).update('\n');
            yield found.data;
            continue;
          }
          const last = end.safeParse(object);
          if (!last.success || last.data.sha256 !== hash.digest('hex')) {
            throw wrong('document-damaged', path);
          }
          ended = true;
        }
        if (!ended) throw wrong('document-damaged', path);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The header of a document alone; null when there is none. */
export async function readHeader(path: string): Promise<DocumentHeader | null> {
  const document = await openDocument(path);
  await document?.close();
  return document?.header ?? null;
}

type File = Awaited<ReturnType<typeof open>>;

/** Lines without their ends; what follows the last end is no line, and a sign of a cut. */
async function* textLines(file: File, path: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  const buffer = Buffer.alloc(CHUNK);
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK, null).catch((error: unknown) => {
      throw fileError(error, 'read', path);
    });
    if (bytesRead === 0) break;
    const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    let start = 0;
    for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, start)) {
      yield text.subarray(start, at);
      start = at + 1;
    }
    rest = text.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw wrong('document-damaged', path);
  }
  if (rest.length > 0) throw wrong('document-damaged', path);
}

function parse(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return null;
  }
}

function wrong(code: ReasonCode, file: string): StudioError {
  const reason: Reason = { code, values: { file } };
  return new StudioError('file-unavailable', reasonText(reason), { reason });
}
