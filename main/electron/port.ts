import { ipcMain } from 'electron';
import { isOurs } from './guard.ts';
import { createPortCalls, type Router } from './port-calls.ts';

/** Serves the studio to every page of ours that hands over a port. */
export function servePorts(router: Promise<Router>): void {
  const connect = router.then(createPortCalls);
  // Whoever opened the studio reports its failure; here it only means that nobody is served.
  connect.catch(() => undefined);
  ipcMain.on('studio-port', (event) => {
    const [port, ...others] = event.ports;
    if (port === undefined || others.length > 0 || !isOurs(event.senderFrame)) {
      for (const each of event.ports) each.close();
      return;
    }
    connect.then(
      (serve) => serve(port),
      () => port.close(),
    );
  });
}
