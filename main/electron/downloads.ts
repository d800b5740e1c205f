import { dirname, join } from 'node:path';
import { app, type Session } from 'electron';
import { ORIGIN } from './places.ts';

/** Saves what the page offers where the person says; other downloads are refused. */
export function askWhereToSave(session: Session): void {
  let folder: string | undefined;
  session.on('will-download', (event, item) => {
    const url = item.getURL();
    if (!url.startsWith(`${ORIGIN}/`) && !url.startsWith(`blob:${ORIGIN}/`)) {
      event.preventDefault();
      return;
    }
    folder ??= app.getPath('downloads');
    item.setSaveDialogOptions({ defaultPath: join(folder, item.getFilename()) });
    item.once('done', (_event, state) => {
      if (state === 'completed') folder = dirname(item.getSavePath());
    });
  });
}
