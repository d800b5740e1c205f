import { RPCHandler } from '@orpc/server/bun-ws';
import type { MessagePortMain } from 'electron';

/** The procedures that a port serves. */
export type Router = ConstructorParameters<typeof RPCHandler>[0];

/** A port as far as calls need it: Electron's, or one with its face. */
export interface CallPort extends Pick<MessagePortMain, 'postMessage' | 'start'> {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/**
 * Serves calls that come over ports. The library's own handler for ports lets a message that is no
 * call become an unhandled rejection, which ends a program; the one that it has for sockets takes
 * the same messages one by one and says when one was wrong.
 */
export function createPortCalls(router: Router): (port: CallPort) => void {
  const handler = new RPCHandler(router);
  return (port) => {
    const peer = {
      send(message: string | ArrayBufferLike | Uint8Array): number {
        port.postMessage(message);
        return 0;
      },
    };
    port.on('message', ({ data }) => {
      const message = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
      // No client of ours sends anything else; whoever does gets no answer.
      if (typeof message !== 'string' && !(message instanceof Uint8Array)) return;
      handler.message(peer, message).catch(() => undefined);
    });
    port.on('close', () => handler.close(peer));
    // What the page said meanwhile was kept.
    port.start();
  };
}
