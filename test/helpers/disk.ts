import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

// Disks of a test's own, where the account may mount any.

/** Whether this account may mount a small disk of its own. */
export function canMount(): boolean {
  if (process.platform !== 'linux') return false;
  const place = join(tmpdir(), `rcg-studio-mount-${process.pid}`);
  mkdirSync(place);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', place], { stdio: 'ignore' });
    execFileSync('umount', [place]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** A disk of a few megabytes, gone after the test. */
export async function smallDisk(): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), 'rcg-studio-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', place]);
  onTestFinished(async () => {
    execFileSync('umount', ['-l', place]);
    await rm(place, { recursive: true, force: true });
  });
  return place;
}

/** Fills a disk to its last byte; gives what makes room again. */
export function fill(disk: string): () => void {
  const ballast = join(disk, 'ballast');
  const file = openSync(ballast, 'w');
  try {
    for (let size = 2 ** 20; size >= 1;) {
      try {
        writeSync(file, new Uint8Array(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
  return () => rmSync(ballast);
}

/** Lets nobody write to a disk any more, not even root. */
export function freeze(disk: string): void {
  execFileSync('mount', ['-o', 'remount,ro', disk]);
}
