import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import { onTestFinished } from 'vitest';
import type { OpenStudio } from '#studio/open-studio';
import { serve, type HttpHost } from '#http/server';
import type { StudioClient } from './conformance.ts';

export const TOKEN = 'a-token-that-is-only-for-tests-0123456789';

/** Serves a studio with a made-up window, until the test ends. */
export async function testServer(studio: OpenStudio, folder: string): Promise<HttpHost> {
  const renderer = join(folder, 'renderer');
  await mkdir(join(renderer, 'assets'), { recursive: true });
  await writeFile(join(renderer, 'index.html'), '<!doctype html><title>RCG Studio</title>');
  await writeFile(join(renderer, 'assets', 'index-aB3dE5f7.js'), 'export {};');
  await writeFile(join(folder, 'secret.txt'), 'not for anyone');
  const host = await serve(studio, { port: 0, token: TOKEN, renderer });
  onTestFinished(() => host.close());
  return host;
}

/** A client over real HTTP. */
export function httpClient({ port }: Pick<HttpHost, 'port'>): StudioClient {
  return createORPCClient(
    new RPCLink({
      url: `http://127.0.0.1:${port}/rpc`,
      headers: { authorization: `Bearer ${TOKEN}` },
      // Node forgets the signal of a request that it has collected as garbage; this one it keeps.
      fetch: (request, init, { signal }) => fetch(request, { ...init, signal: signal ?? null }),
    }),
  );
}
