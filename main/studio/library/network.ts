import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemCode } from '#pictures/files';

// SQLite's log needs memory that all its users share, and locks that hold. File systems of other
// machines give neither: two computers that open the library would ruin its database.

/** What Linux's statfs calls file systems that lie on another machine (linux/magic.h). */
const NETWORKS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB'],
  [0x73757245, 'Coda'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
]);
/** `\\server\share`, and not `\\?\C:` or `\\.\`, which are of this machine. */
const UNC = /^[\\/]{2}(?:\?[\\/]UNC[\\/]|(?![.?][\\/]))[^\\/]/i;

/** What tells of a folder's disk; tests give another. */
export interface Disks {
  readonly platform: string;
  /** The number of a folder's file system. */
  readonly typeOf: (folder: string) => Promise<number>;
}
const DISKS: Disks = {
  platform: process.platform,
  typeOf: async (folder) => (await statfs(folder)).type,
};

/** The kind of network drive that a folder lies on, or will; null for a disk of this machine. */
export async function networkDrive(folder: string, disks: Disks = DISKS): Promise<string | null> {
  if (disks.platform === 'win32') return UNC.test(folder) ? 'Windows share' : null;
  if (disks.platform !== 'linux') return null;
  for (let place = resolve(folder); ; place = dirname(place)) {
    try {
      return NETWORKS.get((await disks.typeOf(place)) >>> 0) ?? null;
    } catch (error) {
      // One that is not there yet is made in the one above.
      if (systemCode(error) !== 'ENOENT' || dirname(place) === place) return null;
    }
  }
}
