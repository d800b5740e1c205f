import { BrowserWindow, dialog, ipcMain, type IpcMainInvokeEvent } from 'electron';
import type { OpenStudio } from '#studio/open-studio';
import { dragOut } from './drag-out.ts';
import { isOurs } from './guard.ts';
import type { WaitingFiles } from './named-files.ts';

/** Answers what only the desktop can, beside the contract: to pages of ours alone. */
export function answerPages(waiting: WaitingFiles, studio: Promise<OpenStudio>): void {
  ipcMain.handle('choose-folder', (event) => {
    check(event);
    return chooseFolder(BrowserWindow.fromWebContents(event.sender));
  });
  ipcMain.handle('choose-files', (event) => {
    check(event);
    return chooseFiles(BrowserWindow.fromWebContents(event.sender));
  });
  ipcMain.handle('take-files', (event) => {
    check(event);
    return waiting.take();
  });
  ipcMain.handle('drag-out', async (event, ...input: unknown[]) => {
    check(event);
    return dragOut(event.sender, await studio, input);
  });
}

/** Throws for a frame, another origin, or a page that is gone. */
function check({ senderFrame }: IpcMainInvokeEvent): void {
  if (!isOurs(senderFrame)) throw new Error('This is for the studio’s own page.');
}

/** The folder that a person chose in the system's dialog; null when it was closed without one. */
async function chooseFolder(window: BrowserWindow | null): Promise<string | null> {
  if (window === null) return null;
  const properties = ['openDirectory', 'createDirectory'] as const;
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    properties: [...properties],
  });
  return canceled ? null : (filePaths[0] ?? null);
}

/** The files that a person chose in the system's dialog; none when it was closed without any. */
async function chooseFiles(window: BrowserWindow | null): Promise<readonly string[]> {
  if (window === null) return [];
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    properties: ['openFile', 'multiSelections'],
  });
  return canceled ? [] : filePaths;
}
