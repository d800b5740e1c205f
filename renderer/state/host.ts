import { isRecord } from './is-record.ts';

/** What the desktop program's preload gives the page beside its channel. */
interface StudioHost {
  pathOf(file: File): string;
}

/**
 * Where a file lies that a person dropped or chose: only the desktop program tells. Null in a
 * browser, and for a file that never lay on a disk.
 */
export function pathOf(file: File): string | null {
  const host: unknown = Reflect.get(globalThis, 'studioHost');
  return isHost(host) ? host.pathOf(file) || null : null;
}

function isHost(value: unknown): value is StudioHost {
  return isRecord(value) && typeof value['pathOf'] === 'function';
}
