import { ORPCError } from '@orpc/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LibraryTransfer } from '../../renderer/state/library-transfer.svelte.ts';
import { openApp, until, type Calls } from './helpers.ts';

async function setUp(calls: Calls = {}) {
  const { app, close } = openApp({}, calls);
  onTestFinished(close);
  const transfer = new LibraryTransfer(app);
  await until(() => app.events.connection === 'open');
  const words = () => app.toasts.list.map((toast) => toast.text);
  return { app, transfer, words };
}

describe('the library on its way to another computer', () => {
  test('needs a folder, shows how far it is, and says what went along', async () => {
    const { transfer, words } = await setUp();
    transfer.begin('export');
    transfer.folder = '  ';
    await transfer.go();
    expect([transfer.open, transfer.canGo]).toEqual([true, false]);
    transfer.folder = ' /disk/copy ';
    await transfer.go();
    await until(() => transfer.progress.total === 2);
    expect([transfer.open, transfer.running, transfer.folder]).toEqual([false, false, '']);
    expect(words()).toEqual(['2 pictures exported to /disk/copy.']);
  });

  test('an import says what came in and which models are missing', async () => {
    const missingModels = [
      { id: 'rcg-b', title: 'RCG-B' },
      { id: 'own', title: null },
    ];
    const answer = { added: 1, known: 3, found: 0, boards: 0, searches: 0, missingModels };
    const { transfer, words } = await setUp({ 'library.import': () => Promise.resolve(answer) });
    transfer.begin('import');
    transfer.folder = '/copy';
    await transfer.go();
    expect(words()).toEqual([
      '1 picture came in; 3 were here already. Not installed here: RCG-B, own. Their pictures can be looked at, but not made again.',
    ]);
  });

  test('a refusal stays beside the field; a stop says what is safe', async () => {
    const errors = ['file-unavailable', 'cancelled'] as const;
    const left: ('file-unavailable' | 'cancelled')[] = [...errors];
    const reason = { code: 'copy-damaged', values: { file: 'images/1.png' } };
    const refuse = () =>
      Promise.reject(new ORPCError(left.shift() ?? '', { message: 'No.', data: { reason } }));
    const { transfer, words } = await setUp({ 'library.import': refuse });
    transfer.begin('import');
    transfer.folder = '/copy';
    await transfer.go();
    expect(transfer.failure?.code).toBe('file-unavailable');
    expect([transfer.open, transfer.folder, words()]).toEqual([true, '/copy', []]);
    await transfer.go();
    expect(transfer.failure).toBeNull();
    expect(words()[0]).toMatch(/stopped.*import the folder again/);
  });

  test('what runs is not replaced by another, and is stopped by asking', async () => {
    const over = Promise.withResolvers<never>();
    const { transfer } = await setUp({ 'library.export': () => over.promise });
    transfer.begin('export');
    transfer.folder = '/copy';
    const going = transfer.go();
    transfer.close();
    transfer.begin('import');
    expect([transfer.way, transfer.open, transfer.folder]).toEqual(['export', true, '/copy']);
    await transfer.cancel();
    expect(transfer.cancelling).toBe(true);
    over.reject(new ORPCError('cancelled', { message: 'Stopped.' }));
    await going;
    expect([transfer.running, transfer.cancelling]).toEqual([false, false]);
  });
});
