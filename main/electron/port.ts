import { RPCHandler } from '@orpc/server/message-port';
import { ipcMain, type MessagePortMain } from 'electron';
import { isOurs } from './guard.ts';

/** The procedures that a port serves. */
type Router = ConstructorParameters<typeof RPCHandler>[0];

/** Serves the studio to every page of ours that hands over a port. */
export function servePorts(router: Promise<Router>): void {
  const handler = router.then((made) => new RPCHandler(made));
  // Whoever opened the studio reports its failure; here it only means that nobody is served.
  handler.catch(() => undefined);
  ipcMain.on('studio-port', (event) => {
    const [port, ...others] = event.ports;
    if (port === undefined || others.length > 0 || !isOurs(event.senderFrame)) {
      for (const each of event.ports) each.close();
      return;
    }
    handler.then(
      (ready) => connect(ready, port),
      () => port.close(),
    );
  });
}

function connect(handler: RPCHandler<Record<never, never>>, port: MessagePortMain): void {
  handler.upgrade(port);
  // What the page said meanwhile was kept.
  port.start();
}
