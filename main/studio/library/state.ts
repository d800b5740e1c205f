import { StudioError } from '#api/errors';
import { reasonText } from '#api/reasons';
import type { LibraryState } from '#api/library';

/** The state of a library whose folder has none: where it was, or where it is said to be. */
export function noLibrary(folder: string): Extract<LibraryState, { kind: 'missing' }> {
  const reason = { code: 'library-none', values: { folder } } as const;
  return { kind: 'missing', reason, detail: reasonText(reason) };
}

/** What a library that is not open means to whoever needs it. */
export function unavailable(state: LibraryState): StudioError {
  return new StudioError('library-unavailable', describe(state));
}

function describe(state: LibraryState): string {
  switch (state.kind) {
    case 'open':
      return 'The library is closed.';
    case 'newer':
      return `The library was made by version ${state.version} of RCG Studio. Nothing was changed; update RCG Studio, or choose another library.`;
    case 'locked':
      return `The library is in use by ${state.by}. Nothing was changed; close the other RCG Studio, or use its window.`;
    case 'network':
      return `The library lies on a network drive (${state.filesystem}), where its database is not safe. Nothing was changed; open it read-only, or choose a folder on a disk of this computer.`;
    case 'read-only':
      if (state.reason)
        return `The library was opened for looking only: ${reasonText(state.reason)} Nothing was changed; put that right and try again.`;
      return 'The library is read-only, so nothing was changed. Change the permissions of its folder and restart RCG Studio.';
    case 'damaged':
      return `The library's database is damaged${
        state.detail === null ? '' : ` (${state.detail})`
      }: ${reasonText(state.reason)} Nothing was changed and its pictures are safe; ${
        state.backup === null
          ? 'move the database away, and it is made again from the pictures.'
          : `its latest backup is ${state.backup}.`
      }`;
    case 'missing':
      return `The library cannot be reached: ${state.detail} Nothing was changed; connect its drive and try again.`;
  }
}
