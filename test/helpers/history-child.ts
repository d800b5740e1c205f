// Another start of the studio, as a process of its own: `lock` opens a library and holds it, `forget`
// does so and clears its memory; `write` adds pictures to it, telling of each, until it is killed;
// `upgrade` tells when it begins to bring one up to date; `move` moves a library from one folder to
// another, and is killed at a named moment.
import { basename, join } from 'node:path';
import { openDatabase } from '#history/database';
import { createHistory } from '#history/history';
import { moveLibrary } from '#studio/library/move';
import { imageOf, NOON } from './library.ts';

const [task, ...paths] = process.argv.slice(2);
if (task === 'move') await move(paths);
else open(paths);

function open([file]: readonly string[]): void {
  if (file === undefined) throw new Error('no file named');
  const opened = openDatabase(file, {
    now: () => NOON,
    appVersion: 'child',
    onMigrate: (step) => task === 'upgrade' && process.send?.(step),
  });
  process.send?.(opened.state);
  if (opened.state.kind === 'open' && opened.database !== null) {
    const { images, changes } = createHistory(opened.database, { now: () => NOON });
    const start = images.summary().total;
    const write = (i: number): void => {
      const { id } = images.insert(imageOf(i));
      changes.update({ ids: [id], rating: 1 + (i % 5), addTags: ['written'] });
      process.send?.(i, () => void setImmediate(write, i + 1));
    };
    if (task === 'write') write(start);
    else setInterval(() => undefined, 1000);
    if (task === 'forget') setTimeout(forget, 50);
  }
}

/** Everything that nothing refers to any more goes. */
function forget(): void {
  globalThis.gc?.();
  // What is finalized goes after the turn.
  setTimeout(() => process.send?.('forgotten'), 50);
}

async function move([root, from, to, moment]: readonly string[]): Promise<void> {
  if (root === undefined || from === undefined || to === undefined) throw new Error('no folders');
  const reach = (what: string): void => {
    if (what === moment) process.kill(process.pid, 'SIGKILL');
  };
  await moveLibrary({
    home: { root, models: join(root, 'models'), cache: join(root, 'cache') },
    from,
    to,
    now: () => NOON,
    signal: new AbortController().signal,
    onProgress: (_, __, file) => reach(basename(file)),
    close: async () => reach('close'),
    onTurn: () => reach('turn'),
    moved: async () => reach('moved'),
  });
  reach('end');
}
