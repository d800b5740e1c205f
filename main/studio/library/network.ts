import { readFile, statfs } from 'node:fs/promises';
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
  // Folders of the machine around a virtual one, Windows drives under WSL among them.
  [0x01021997, '9P'],
]);
/** File systems that a program serves: only the list of mounts says which one. */
const FUSE = 0x65735546;
const FUSE_NETWORKS: ReadonlyMap<string, string> = new Map([
  ['fuse.sshfs', 'SSHFS'],
  ['fuse.rclone', 'rclone'],
  ['fuse.s3fs', 'S3'],
  ['fuse.gcsfuse', 'Cloud Storage'],
  ['fuse.glusterfs', 'GlusterFS'],
  ['fuse.ceph-fuse', 'Ceph'],
  ['fuse.juicefs', 'JuiceFS'],
]);
/** `\\server\share`, and not `\\?\C:` or `\\.\`, which are of this machine. */
const UNC = /^[\\/]{2}(?:\?[\\/]UNC[\\/]|(?![.?][\\/]))[^\\/]/i;

/** What tells of a folder's disk; tests give another. */
export interface Disks {
  readonly platform: string;
  /** The number of a folder's file system. */
  readonly typeOf: (folder: string) => Promise<number>;
  /** What is mounted, as Linux tells it (proc_pid_mountinfo(5)). */
  readonly mounts: () => Promise<string>;
}
const DISKS: Disks = {
  platform: process.platform,
  typeOf: async (folder) => (await statfs(folder)).type,
  mounts: () => readFile('/proc/self/mountinfo', 'utf8'),
};

/** The kind of network drive that a folder lies on, or will; null for a disk of this machine. */
export async function networkDrive(folder: string, disks: Disks = DISKS): Promise<string | null> {
  if (disks.platform === 'win32') return UNC.test(folder) ? 'Windows share' : null;
  if (disks.platform !== 'linux') return null;
  for (let place = resolve(folder); ; place = dirname(place)) {
    try {
      const type = (await disks.typeOf(place)) >>> 0;
      if (type === FUSE) return servedBy(place, await disks.mounts());
      return NETWORKS.get(type) ?? null;
    } catch (error) {
      // One that is not there yet is made in the one above.
      if (systemCode(error) !== 'ENOENT' || dirname(place) === place) return null;
    }
  }
}

/** The kind of network drive that a program serves a folder from; null for any other. */
function servedBy(folder: string, mounts: string): string | null {
  let inner = { point: '', type: '' };
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , escaped = ''] = before.split(' ');
    const point = escaped.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const inside = `${folder}/`.startsWith(point.endsWith('/') ? point : `${point}/`);
    // Of mounts over each other the last one counts.
    if (inside && point.length >= inner.point.length)
      inner = { point, type: after.split(' ')[0] ?? '' };
  }
  return FUSE_NETWORKS.get(inner.type) ?? null;
}
