import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import { z } from 'zod';
import type { Contract } from '#api/contract';
import { StudioError } from '#api/errors';
import { makeFolder, writeAtomic } from '#pictures/files';
import type { Home } from '#studio/home';

// One studio owns a library. A second program of the same person becomes a client of the first: a
// studio that is served leaves its address where only that person can read it.

const FILE = 'served.json';
/** A studio of this machine answers at once, or it is not there. */
const ANSWER_MS = 3000;

const schema = z.object({
  version: z.literal(1),
  pid: z.int().positive(),
  port: z.int().min(1).max(65_535),
  token: z.string().regex(/^[\w-]{16,}$/),
});

/** A studio that another program serves. */
export interface Served {
  /** The address that opens it, token and all: for the eyes of its owner. */
  readonly url: string;
  readonly client: ContractRouterClient<Contract>;
  /** An address that opens it once and soon: for what others can see. */
  entry(): Promise<string>;
  /** What an address of the studio holds. */
  download(address: string): Promise<Uint8Array>;
}

/**
 * Leaves the address of a server for the owner's other programs; gives back what takes it away. The
 * studio works without that, so what cannot be written is left out.
 */
export async function leaveAddress(
  home: Home,
  { port, token }: { readonly port: number; readonly token: string },
): Promise<() => Promise<void>> {
  const file = join(home.root, FILE);
  const { pid } = process;
  const text = JSON.stringify({ version: 1, pid, port, token });
  try {
    await makeFolder(home.root);
    await writeAtomic(file, Buffer.from(text), 0o600);
  } catch {
    // Others will not find it.
  }
  return async () => {
    // Another studio of this home may have left its own since.
    if ((await readAddress(home))?.pid !== pid) return;
    // Without its process it says nothing.
    await rm(file, { force: true }).catch(() => undefined);
  };
}

/** The studio that serves a library, where a program of this person and home does; null otherwise. */
export async function findServed(home: Home, library: string): Promise<Served | null> {
  const address = await readAddress(home);
  if (address === null || !isAlive(address.pid)) return null;
  const served = reach(address);
  try {
    const { folder } = await served.client.library.place(undefined, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return folder === library ? served : null;
  } catch {
    // What a killed studio left, or one that is just closing.
    return null;
  }
}

type Address = Pick<z.infer<typeof schema>, 'pid' | 'port' | 'token'>;

/** The address as it was left; null where there is none, or where others could have written it. */
async function readAddress(home: Home): Promise<Address | null> {
  const file = join(home.root, FILE);
  try {
    const { mode, uid } = await stat(file);
    const own = process.getuid === undefined || uid === process.getuid();
    if (process.platform !== 'win32' && (!own || (mode & 0o077) !== 0)) return null;
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function reach({ port, token }: Address): Served {
  const origin = `http://127.0.0.1:${port}`;
  const headers = { authorization: `Bearer ${token}` };
  const client: Served['client'] = createORPCClient(new RPCLink({ url: `${origin}/rpc`, headers }));
  const ask = async (path: string, method: 'GET' | 'POST'): Promise<Response> => {
    // eslint-disable-next-line no-restricted-globals -- a program of the same person, on this machine
    const answer = await fetch(origin + path, { method, headers });
    if (answer.ok) return answer;
    throw new StudioError('not-found', `The studio at ${origin} has no ${path}.`);
  };
  return {
    url: `${origin}/?token=${token}`,
    client,
    entry: async () => (await (await ask('/entry', 'POST')).text()).trim(),
    download: async (address) => (await ask(address, 'GET')).bytes(),
  };
}
