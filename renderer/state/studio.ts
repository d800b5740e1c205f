import { createORPCClient } from '@orpc/client';
import { RPCLink as FetchLink, type RPCLinkOptions } from '@orpc/client/fetch';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '#api/contract';

/** The studio, as the contract types it, wherever it runs. */
export type StudioClient = ContractRouterClient<Contract>;

type FetchOptions = RPCLinkOptions<Record<never, never>>;

/** The page of the desktop program; everything else reached us over HTTP. */
const DESKTOP_SCHEME = 'app:';

/** Connects to the host that served this page: see "Hosts" in the README beside. */
export async function connectStudio(window: Window): Promise<StudioClient> {
  if (window.location.protocol !== DESKTOP_SCHEME) {
    return createORPCClient(new FetchLink({ url: `${window.location.origin}/rpc`, fetch: ask }));
  }
  const port = await receivePort(window);
  port.start();
  return createORPCClient(new PortLink({ port }));
}

/** What a page keeps as it goes is still sent when it has gone. */
const ask: NonNullable<FetchOptions['fetch']> = (request, init, _options, path) =>
  fetch(request, { ...init, keepalive: path.join('.') === 'session.put' });

function receivePort(window: Window): Promise<MessagePort> {
  return new Promise((resolve) => {
    const onMessage = (event: MessageEvent) => {
      const port = event.ports[0];
      // Only the preload shares this window: a frame or another page has another source.
      if (event.source !== window || event.data !== 'studio-port' || port === undefined) return;
      window.removeEventListener('message', onMessage);
      resolve(port);
    };
    window.addEventListener('message', onMessage);
    window.postMessage('studio-port-wanted', window.location.origin);
  });
}
