import { StudioError, type ErrorCode } from '#api/errors';
import { isRecord } from './is-record.ts';
import type { ReasonLike } from './reasons.ts';

// What the desktop program's preload gives the page beside its channel. A browser has none of it,
// and another host may have some of it.

/** Files that the desktop program was started with, or asked to open. */
interface NamedFiles {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
  readonly refused: readonly ReasonLike[];
}

/** Files that are dragged to other programs, or why none are. */
interface DraggedFiles {
  readonly names: readonly string[];
  readonly failure: { readonly code: ErrorCode; readonly message: string } | null;
}

interface StudioHost {
  pathOf(file: File): string;
  /** Null when the dialog was closed without a choice. */
  chooseFolder(): Promise<string | null>;
  /** None when the dialog was closed without a choice. */
  chooseFiles(): Promise<readonly string[]>;
  takeFiles(): Promise<NamedFiles>;
  /** Begins the system's own drag of these pictures' files. */
  dragOut(ids: readonly number[], recipe: boolean): Promise<DraggedFiles>;
  onFiles(listener: () => void): void;
  onUndo(listener: () => void): void;
  onRedo(listener: () => void): void;
}

/**
 * Where a file lies that a person dropped or chose: only the desktop program tells. Null in a
 * browser, and for a file that never lay on a disk.
 */
export function pathOf(file: File): string | null {
  return hostWith('pathOf')?.pathOf(file) || null;
}

/** Asks for a folder with the system's own dialog; null where there is no way to. */
export function folderChooser(): (() => Promise<string | null>) | null {
  const host = hostWith('chooseFolder');
  return host && (() => host.chooseFolder());
}

/** Asks for files with the system's own dialog; null where there is no way to. */
export function fileChooser(): (() => Promise<readonly string[]>) | null {
  const host = hostWith('chooseFiles');
  return host && (() => host.chooseFiles());
}

/** Drags files of pictures to other programs, and gives their names; null where only one can be. */
export function fileDragger():
  ((ids: readonly number[], recipe: boolean) => Promise<readonly string[]>) | null {
  const host = hostWith('dragOut');
  return (
    host &&
    (async (ids, recipe) => {
      const { names, failure } = await host.dragOut(ids, recipe);
      if (failure !== null) throw new StudioError(failure.code, failure.message);
      return names;
    })
  );
}

/** Tells of Undo and Redo in the program's menu, where there is one. */
export function onMenu(undo: () => void, redo: () => void): void {
  const host = hostWith('onUndo', 'onRedo');
  host?.onUndo(undo);
  host?.onRedo(redo);
}

/** The files that the desktop program was named, taken once; null in a browser. */
export function namedFiles() {
  const host = hostWith('takeFiles', 'onFiles');
  return (
    host && {
      /** Calls the listener whenever there are some more. */
      onMore: (listener: () => void) => host.onFiles(listener),
      async take() {
        const { files, refused } = await host.takeFiles();
        return { files: files.map(({ name, bytes }) => new File([bytes], name)), refused };
      },
    }
  );
}

/** The host's part of these names; null where it lacks one of them. */
function hostWith<Name extends keyof StudioHost>(...names: Name[]): Pick<StudioHost, Name> | null {
  const host: unknown = Reflect.get(globalThis, 'studioHost');
  return has<Name>(host, names) ? host : null;
}

function has<Name extends keyof StudioHost>(
  host: unknown,
  names: readonly Name[],
): host is Pick<StudioHost, Name> {
  return isRecord(host) && names.every((name) => typeof host[name] === 'function');
}
