import { StudioError } from '#api/errors';
import type { Store } from './store.ts';
import type { NewImage } from './types.ts';
import { indexedText } from './words.ts';

/** Characters of a program's name: more is no name. It is cut as SQLite counts. */
const SOFTWARE_LENGTH = 100;
/** The last that a Date can be. */
const LATEST_TIME = 8.64e15;

/** Adds a picture with its parents and its place in its job, as one transaction. */
export function insertImage(
  store: Store,
  image: NewImage,
): { readonly id: number; readonly inserted: boolean } {
  checkTime(image.createdAt);
  return store.transact(() => {
    const known = store.column<number>('SELECT image FROM masters WHERE uid = ?').get(image.uid);
    if (known !== undefined) return { id: known, inserted: false };
    const id = insertRow(store, image);
    insertMaster(store, id, image);
    const addParent = store.rows(
      'INSERT OR IGNORE INTO parents (child, parent, operation) SELECT ?, id, ? FROM images WHERE id = ? AND id <> ?',
    );
    for (const parent of image.parents ?? []) addParent.run(id, parent.operation, parent.id, id);
    if (image.job !== undefined) finishPicture(store, image.job, id);
    return { id, inserted: true };
  });
}

function checkTime(time: number): void {
  if (Number.isSafeInteger(time) && time >= 0 && time <= LATEST_TIME) return;
  throw new StudioError('invalid-request', `${time} is not a time that a picture can have.`, {
    field: 'createdAt',
  });
}

function insertRow(store: Store, image: NewImage): number {
  const { recipe } = image;
  const { source } = recipe;
  const sampled = source.kind === 'sample' ? source : null;
  const { lastInsertRowid } = store
    .rows(
      `INSERT INTO images (created_at, seed, model, target, source, rdm_steps, eta, label, steps,
        temperature, guidance, schedule, operation, job, size, bytes, file_state, version, software)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, substr(?, 1, ${SOFTWARE_LENGTH}))`,
    )
    .run(
      image.createdAt,
      recipe.seed,
      modelRow(store, image),
      recipe.target,
      source.kind,
      sampled?.rdmSteps ?? null,
      sampled?.eta ?? null,
      sampled?.label ?? null,
      recipe.steps,
      recipe.temperature,
      recipe.guidance,
      recipe.schedule,
      image.operation,
      image.job?.id ?? null,
      image.size,
      image.bytes,
      image.fileState ?? 'present',
      image.version,
      recipe.software,
    );
  return Number(lastInsertRowid);
}

function modelRow(store: Store, { recipe, modelTitle }: NewImage): number {
  const { id, hash } = recipe.model;
  const known = store
    .rows<{ id: number; title: string | null }>(
      'SELECT id, title FROM models WHERE model_id = ? AND hash = ?',
    )
    .get(id, hash);
  if (known !== undefined && (modelTitle === null || known.title === modelTitle)) return known.id;
  const row = store
    .column<number>(
      `INSERT INTO models (model_id, hash, title) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET title = excluded.title RETURNING id`,
    )
    .get(id, hash, modelTitle);
  if (row === undefined) throw new Error('the model has no row');
  store
    .rows('INSERT OR REPLACE INTO model_words (rowid, words) VALUES (?, ?)')
    .run(row, indexedText(`${id} ${modelTitle ?? ''}`));
  return row;
}

function insertMaster(store: Store, id: number, image: NewImage): void {
  const { representation, tokens, tokenHash, ...rest } = image.recipe;
  store.rows('DELETE FROM doomed_files WHERE path = ?').run(image.path);
  store
    .rows(
      `INSERT INTO masters (image, uid, path, time_representation, time_tokens, time_pixels,
        token_hash, recipe, tokens, representation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      image.uid,
      image.path,
      image.times.representation,
      image.times.tokens,
      image.times.pixels,
      Buffer.from(tokenHash, 'hex'),
      JSON.stringify(rest),
      Buffer.from(tokens, 'base64'),
      Buffer.from(representation, 'base64'),
    );
}

function finishPicture(store: Store, job: { id: number; index: number }, image: number): void {
  store
    .rows('INSERT INTO job_images (job, idx, image) VALUES (?, ?, ?)')
    .run(job.id, job.index, image);
  store.rows('DELETE FROM resumes WHERE job = ? AND idx = ?').run(job.id, job.index);
}
