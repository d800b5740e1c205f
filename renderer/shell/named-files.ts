import type { App } from '../state/app.svelte.ts';
import { namedFiles } from '../state/host.ts';
import { reasonWords } from '../state/reasons.ts';

/**
 * Takes the files that the desktop program was started with or asked to open to where dropped files
 * are imported, now and whenever there are more. A file that cannot be read is told.
 */
export function bringNamedFiles(app: App): void {
  const named = namedFiles();
  if (named === null) return;
  const bring = async (): Promise<void> => {
    // What is told must be in the person's language, which the settings name.
    if (!app.settings.loaded) await app.settings.refresh();
    const taken = await app.act(named.take());
    if (taken === undefined) return;
    for (const reason of taken.refused) {
      const text = reasonWords(app.i18n, reason) ?? app.i18n.t('error.file-unavailable');
      app.toasts.show({ text, tone: 'danger', code: reason.code });
      app.announcer.alert(text);
    }
    app.bring(taken.files);
  };
  named.onMore(() => void bring());
  // Also after each connection: what came before the page could listen waits until it is taken.
  app.events.onConnected(() => void bring());
}
