import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '#api/contract';

/** The studio in a process of its own, as `rcg-studio serve` serves it. */
export interface Served {
  /** The address that opens a window, token and all. */
  readonly url: string;
  readonly origin: string;
  readonly client: ContractRouterClient<Contract>;
  /** Ends it as Ctrl-C does, so that the library is closed in order. */
  stop(): Promise<void>;
}

const BIN = resolve(import.meta.dirname, '../../../main/cli/bin.mjs');

/** Starts a studio on a home folder; resolves when it has printed its address. */
export async function serveStudio(home: string): Promise<Served> {
  const child = spawn(process.execPath, [BIN, 'serve', '--no-open', '--port', '0', '--json'], {
    env: {
      ...process.env,
      RCG_STUDIO_HOME: home,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const over = once(child, 'exit');
    child.kill('SIGINT');
    await over;
  };
  for await (const line of createInterface({ input: child.stdout })) {
    const said: unknown = JSON.parse(line);
    if (typeof said !== 'object' || said === null || !('url' in said)) continue;
    // The rest is read on, so that the studio never waits for a reader.
    child.stdout.resume();
    const url = String(said.url);
    const { origin, searchParams } = new URL(url);
    const headers = { authorization: `Bearer ${searchParams.get('token') ?? ''}` };
    const client: Served['client'] = createORPCClient(
      new RPCLink({ url: `${origin}/rpc`, headers }),
    );
    return { url, origin, client, stop };
  }
  throw new Error('The studio ended before it could be asked.');
}
