import Sqlite from 'better-sqlite3';
import { StudioError, type ErrorCode } from '#api/errors';

/** The `code` of an error of the system or of SQLite, or undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** What a failure of SQLite means to a person; anything else is given back unchanged. */
export function historyError(error: unknown): unknown {
  const code = errorCode(error);
  if (code === undefined || error instanceof StudioError) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') {
    return new StudioError(
      'disk-full',
      'The disk with the library is full. Nothing was changed; free some space and try again.',
      { cause: error },
    );
  }
  if (!(error instanceof Sqlite.SqliteError)) return error;
  const found = meaning(code);
  return found === undefined ? error : new StudioError(...found, { cause: error });
}

function meaning(code: string): [ErrorCode, string] | undefined {
  const is = (family: string) => code === family || code.startsWith(`${family}_`);
  if (is('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return [
      'library-unavailable',
      "The library's database is damaged. Its pictures are safe; restart RCG Studio to repair it from a backup.",
    ];
  }
  if (is('SQLITE_READONLY')) {
    return [
      'library-unavailable',
      'The library is read-only, so nothing was changed. Change the permissions of its folder and restart RCG Studio.',
    ];
  }
  if (is('SQLITE_BUSY') || is('SQLITE_LOCKED')) {
    return [
      'library-unavailable',
      'Another program is using the library, so nothing was changed. Close it and try again.',
    ];
  }
  if (is('SQLITE_CANTOPEN') || is('SQLITE_IOERR') || code === 'SQLITE_PERM') {
    return [
      'file-unavailable',
      "The library's database cannot be read or written. Nothing was changed; check its disk and try again.",
    ];
  }
  return undefined;
}

type Functions<T> = { readonly [K in keyof T]: T[K] };

/** The same functions, with SQLite's failures turned into StudioErrors. */
export function guarded<T extends Record<string, unknown>>(functions: T): Functions<T> {
  const entries = Object.entries(functions).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    const wrapped = (...values: unknown[]): unknown => {
      try {
        return Reflect.apply(value, undefined, values);
      } catch (error) {
        throw historyError(error);
      }
    };
    return [name, wrapped];
  });
  return Object.fromEntries(entries) as Functions<T>;
}
