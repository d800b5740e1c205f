// Another start of the studio, as a process of its own: `lock` opens a library and holds it, `write`
// adds pictures to it, telling of each, until it is killed.
import { openDatabase } from '#history/database';
import { createHistory } from '#history/history';
import { imageOf, NOON } from './library.ts';

const [task, file] = process.argv.slice(2);
if (file === undefined) throw new Error('no file named');
const opened = openDatabase(file, { now: () => NOON, appVersion: 'child' });
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
}
