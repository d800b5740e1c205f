import { decodeFloats, decodeTokens, encodeFloats, encodeTokens } from './encode.ts';
import type { Store } from './store.ts';
import type { Resume } from './types.ts';

interface ResumeRow {
  readonly index: number;
  readonly step: number;
  readonly model: string;
  readonly target: string;
  readonly representation: Buffer;
  readonly tokens: Buffer;
}

/** Keeps how far the pictures in the making are, in place of what was kept before. */
export function saveResume(store: Store, job: number, pictures: readonly Resume[]): void {
  store.transact(() => {
    discardResume(store, job);
    const insert = store.rows(
      `INSERT INTO resumes (job, idx, step, model_hash, target, representation, tokens)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    for (const { index, step, model, target, representation, tokens } of pictures) {
      const data = [encodeFloats(representation), encodeTokens(tokens)];
      insert.run(job, index, step, model, target, ...data);
    }
  });
}

/** The pictures of a job that were in the making, by index. */
export function loadResume(store: Store, job: number): readonly Resume[] {
  return store
    .rows<ResumeRow>(
      `SELECT idx AS "index", step, model_hash AS model, target, representation, tokens
      FROM resumes WHERE job = ? ORDER BY idx`,
    )
    .all(job)
    .map(({ representation, tokens, ...rest }) => ({
      ...rest,
      representation: decodeFloats(representation),
      tokens: decodeTokens(tokens),
    }));
}

/** Gives up what is half decoded of a job: those pictures begin anew. */
export function discardResume(store: Store, job: number): void {
  store.rows('DELETE FROM resumes WHERE job = ?').run(job);
}
