import { contextBridge, ipcRenderer, webUtils } from 'electron';

/** The part of the page's window that is used here; main knows no DOM. */
interface PageWindow {
  readonly location: { readonly origin: string };
  addEventListener(
    type: 'message',
    listener: (event: { readonly source: unknown; readonly data: unknown }) => void,
  ): void;
  postMessage(message: unknown, origin: string, transfer: readonly unknown[]): void;
}
declare const window: PageWindow;

// What the page gets of us: where a file lies that a person dropped or chose, which a model import
// needs and a browser does not tell; a folder or files that a person chooses; files that the program
// was started with or asked to open; a drag of several files; the menu's undo and redo;
contextBridge.exposeInMainWorld('studioHost', {
  pathOf: (file: Parameters<typeof webUtils.getPathForFile>[0]) => webUtils.getPathForFile(file),
  chooseFolder: () => ipcRenderer.invoke('choose-folder'),
  chooseFiles: () => ipcRenderer.invoke('choose-files'),
  takeFiles: () => ipcRenderer.invoke('take-files'),
  dragOut: (ids: readonly number[], recipe: boolean) => ipcRenderer.invoke('drag-out', ids, recipe),
  // The event stays here: it could send anything to main.
  onFiles: (listener: () => void) => void ipcRenderer.on('files-named', () => listener()),
  onUndo: (listener: () => void) => void ipcRenderer.on('menu-undo', () => listener()),
  onRedo: (listener: () => void) => void ipcRenderer.on('menu-redo', () => listener()),
});

// and one end of a channel, when it asks. The other end goes to main.
window.addEventListener('message', ({ source, data }) => {
  // Only the page itself shares this window: a frame has another.
  if (source !== window || data !== 'studio-port-wanted') return;
  const { port1, port2 } = new MessageChannel();
  ipcRenderer.postMessage('studio-port', null, [port1]);
  window.postMessage('studio-port', window.location.origin, [port2]);
});
