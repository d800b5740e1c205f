/** Marks a file as a library of RCG Studio: "RCGS". */
export const APPLICATION_ID = 0x52434753;

// `images` holds what is filtered, sorted and shown in the grid, and nothing else, so that reading
// all of it is quick; `masters` holds what makes a picture again. Counts are kept by triggers, so
// that they are right whoever writes.

const tables = `
  CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    title TEXT,
    UNIQUE (model_id, hash)
  ) STRICT;

  CREATE TABLE images (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER,
    seed INTEGER NOT NULL,
    model INTEGER NOT NULL REFERENCES models (id),
    target TEXT NOT NULL,
    source TEXT NOT NULL,
    rdm_steps INTEGER,
    eta REAL,
    label INTEGER,
    steps INTEGER NOT NULL,
    temperature REAL NOT NULL,
    guidance REAL NOT NULL,
    schedule TEXT NOT NULL,
    rating INTEGER NOT NULL DEFAULT 0,
    starred INTEGER NOT NULL DEFAULT 0,
    operation TEXT NOT NULL,
    job INTEGER,
    size INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    file_state TEXT NOT NULL,
    version TEXT NOT NULL
  ) STRICT;

  CREATE TABLE masters (
    image INTEGER PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
    uid TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL UNIQUE,
    note TEXT NOT NULL DEFAULT '',
    time_representation REAL NOT NULL,
    time_tokens REAL NOT NULL,
    time_pixels REAL NOT NULL,
    token_hash BLOB NOT NULL,
    recipe TEXT NOT NULL,
    tokens BLOB NOT NULL,
    representation BLOB NOT NULL
  ) STRICT;

  CREATE TABLE parents (
    child INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    parent INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    operation TEXT NOT NULL,
    PRIMARY KEY (child, parent)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX parents_by_parent ON parents (parent, child);

  CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE image_tags (
    image INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    tag INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (image, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX image_tags_by_tag ON image_tags (tag, image);

  CREATE TABLE boards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    count INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE board_images (
    image INTEGER NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    board INTEGER NOT NULL REFERENCES boards (id) ON DELETE CASCADE,
    PRIMARY KEY (image, board)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX board_images_by_board ON board_images (board, image);

  CREATE TABLE searches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    search TEXT NOT NULL
  ) STRICT;

  CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    request TEXT NOT NULL,
    total INTEGER NOT NULL,
    crashes INTEGER NOT NULL DEFAULT 0,
    error_code TEXT,
    error_message TEXT,
    dismissed INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX jobs_listed ON jobs (position) WHERE dismissed = 0;
  CREATE TABLE job_images (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    image INTEGER REFERENCES images (id) ON DELETE SET NULL,
    PRIMARY KEY (job, idx)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX job_images_by_image ON job_images (image);
  CREATE TABLE resumes (
    job INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    idx INTEGER NOT NULL,
    step INTEGER NOT NULL,
    representation BLOB NOT NULL,
    tokens BLOB NOT NULL,
    PRIMARY KEY (job, idx)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE operations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0,
    characters INTEGER NOT NULL,
    forward TEXT NOT NULL,
    inverse TEXT NOT NULL
  ) STRICT;

  -- Files of rows that are gone for good, until the files are gone too.
  CREATE TABLE doomed_files (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE VIRTUAL TABLE note_words USING fts5 (
    words, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'"
  );
  CREATE VIRTUAL TABLE tag_words USING fts5 (
    words, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'"
  );
  CREATE VIRTUAL TABLE model_words USING fts5 (
    words, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'"
  );
`;

// Searches run over columns in memory; only the bin's purge asks the table itself.
const indexes = `
  CREATE INDEX images_bin ON images (deleted_at) WHERE deleted_at IS NOT NULL;
`;

/** What a row adds to each count of `totals`. */
const share = (row: 'NEW' | 'OLD'): Readonly<Record<string, string>> => ({
  total: `(${row}.deleted_at IS NULL)`,
  starred: `(${row}.deleted_at IS NULL AND ${row}.starred = 1)`,
  unrated: `(${row}.deleted_at IS NULL AND ${row}.rating = 0)`,
  imported: `(${row}.deleted_at IS NULL AND ${row}.operation = 'import')`,
  bin: `(${row}.deleted_at IS NOT NULL)`,
  bytes: `iif(${row}.file_state = 'present', ${row}.bytes, 0)`,
});
const changeTotals = (signs: readonly (readonly ['+' | '-', 'NEW' | 'OLD'])[]): string =>
  Object.keys(share('NEW'))
    .map(
      (name) => `${name} = ${name}${signs.map(([s, row]) => ` ${s} ${share(row)[name]}`).join('')}`,
    )
    .join(', ');

const totals = `
  CREATE TABLE totals (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    total INTEGER NOT NULL DEFAULT 0,
    starred INTEGER NOT NULL DEFAULT 0,
    unrated INTEGER NOT NULL DEFAULT 0,
    imported INTEGER NOT NULL DEFAULT 0,
    bin INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO totals (only) VALUES (1);
  CREATE TRIGGER totals_insert AFTER INSERT ON images BEGIN
    UPDATE totals SET ${changeTotals([['+', 'NEW']])};
  END;
  CREATE TRIGGER totals_delete AFTER DELETE ON images BEGIN
    UPDATE totals SET ${changeTotals([['-', 'OLD']])};
  END;
  CREATE TRIGGER totals_update
    AFTER UPDATE OF deleted_at, starred, rating, operation, bytes, file_state ON images BEGIN
    UPDATE totals SET ${changeTotals([
      ['-', 'OLD'],
      ['+', 'NEW'],
    ])};
  END;
`;

/** Keeps `count` of tags or boards: their pictures that are not in the bin. */
const counted = (group: 'tag' | 'board', link: string): string => `
  CREATE TRIGGER ${link}_insert AFTER INSERT ON ${link} BEGIN
    UPDATE ${group}s SET count = count + 1 WHERE id = NEW.${group}
      AND EXISTS (SELECT 1 FROM images WHERE id = NEW.image AND deleted_at IS NULL);
  END;
  CREATE TRIGGER ${link}_delete AFTER DELETE ON ${link} BEGIN
    UPDATE ${group}s SET count = count - 1 WHERE id = OLD.${group}
      AND EXISTS (SELECT 1 FROM images WHERE id = OLD.image AND deleted_at IS NULL);
  END;
  CREATE TRIGGER ${link}_bin AFTER UPDATE OF deleted_at ON images
    WHEN (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL) BEGIN
    UPDATE ${group}s SET count = count + iif(NEW.deleted_at IS NULL, 1, -1)
      WHERE id IN (SELECT ${group} FROM ${link} WHERE image = NEW.id);
  END;
`;

// What was half decoded goes on only with the weights and the kind of arithmetic that it began with.
const resumeMakers = `
  ALTER TABLE resumes ADD COLUMN model_hash TEXT NOT NULL DEFAULT '';
  ALTER TABLE resumes ADD COLUMN target TEXT NOT NULL DEFAULT '';
`;

// The list of jobs is those that wait and the newest of those that ended, however many there were.
const endedJobs = `
  ALTER TABLE jobs ADD COLUMN ended_at INTEGER;
  UPDATE jobs SET ended_at = created_at
    WHERE state IN ('done', 'cancelled', 'failed', 'parked');
  DROP INDEX jobs_listed;
  CREATE INDEX jobs_listed ON jobs (dismissed, ended_at, id);
`;

// How far a job had come when the studio last ended over it, and how often it came no further.
const jobStrikes = `
  ALTER TABLE jobs ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN reached INTEGER NOT NULL DEFAULT 0;
`;

// The program that made a picture, as its recipe names it, as far as it fits a list of choices. A record
// whose recipe cannot be read opens all the same.
const software = `
  ALTER TABLE images ADD COLUMN software TEXT NOT NULL DEFAULT '';
  UPDATE images SET software = coalesce(
    (SELECT substr(iif(json_valid(recipe), recipe ->> '$.software', NULL), 1, 100)
      FROM masters WHERE image = images.id), '');
`;

// Whether a fresh run gave a picture's tokens, as far as anybody looked: how many differed, on which
// kind of arithmetic, and when. Tokens never change and ids are never used again, so an answer stays
// true of its picture and goes with it.
const verdicts = `
  ALTER TABLE images ADD COLUMN differing INTEGER;
  ALTER TABLE masters ADD COLUMN checked_on TEXT;
  ALTER TABLE masters ADD COLUMN checked_at INTEGER;
`;

/**
 * SQL of each version of the format, in order: entry i brings a database from version i to i + 1.
 * An entry that was released never changes; a new one is added after it.
 */
export const MIGRATIONS: readonly string[] = [
  [tables, indexes, totals, counted('tag', 'image_tags'), counted('board', 'board_images')].join(
    '\n',
  ),
  resumeMakers,
  endedJobs,
  jobStrikes,
  software,
  verdicts,
];
