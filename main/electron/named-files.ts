import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeError } from '#api/errors';
import type { Reason } from '#api/reasons';
import { readWhole } from '#pictures/files';
import { PROGRAM } from './places.ts';

/** Bytes of a file at most: what the contract takes. */
const MOST = 100 * 2 ** 20;

/** What the page gets of files that it was not given by a drop. */
export interface NamedFiles {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Why others could not be read. */
  readonly refused: readonly Reason[];
}

/** Files that wait until the page takes them: it may not be there yet, or load again. */
export interface WaitingFiles {
  add(paths: readonly string[]): void;
  /** Not read yet. */
  readonly paths: readonly string[];
  take(): Promise<NamedFiles>;
}

/**
 * The files among a program's arguments, as absolute paths. Switches are for others to read, and a
 * folder cannot be brought in. Run from its sources, the program itself is among them.
 */
export function filesNamed(args: readonly string[], folder: string): readonly string[] {
  return args
    .filter((arg) => arg !== '' && !arg.startsWith('-'))
    .map((arg) => resolve(folder, plainPath(arg)))
    .filter((path) => path !== PROGRAM && !isFolder(path));
}

/** Holds named files until they are taken; `tell` says that there are some. */
export function createWaitingFiles(tell: () => void): WaitingFiles {
  const waiting = new Set<string>();
  return {
    add(paths) {
      for (const path of paths) waiting.add(path);
      if (paths.length > 0) tell();
    },
    get paths() {
      return [...waiting];
    },
    async take() {
      const paths = [...waiting];
      waiting.clear();
      const files: NamedFiles['files'][number][] = [];
      const refused: Reason[] = [];
      for (const path of paths) {
        try {
          files.push({ name: basename(path), bytes: await readWhole(path, MOST) });
        } catch (error) {
          const values = { file: path };
          refused.push(encodeError(error).reason ?? { code: 'file-unreadable', values });
        }
      }
      return { files, refused };
    },
  };
}

/** Some file managers name files by their address. */
function plainPath(arg: string): string {
  if (!/^file:\/\//i.test(arg)) return arg;
  try {
    return fileURLToPath(arg);
  } catch {
    // Of another machine, or no address after all: told as a path that is not there.
    return arg;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // What is not there is told when it is read.
    return false;
  }
}
