// `npm start`: builds what is stale, then opens the desktop program; where Electron's own program is
// missing and cannot be fetched, or there is no screen, serves the studio for a browser instead.
// Plain JavaScript, because it may be started by a Node that runs no TypeScript.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedNode } from './pinned-node.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE = pinnedNode(ROOT) ?? process.execPath;
const VITE = join(ROOT, 'node_modules/vite/bin/vite.js');
/** Which packages the programs are made of. */
const LOCKS = ['package.json', 'package-lock.json'];
const ELECTRON = join(ROOT, 'node_modules/electron');
/** A machine without a network says so at once; a slow one must not keep a person waiting. */
const FETCH_MS = 120_000;
/** The same signal within this is one: a terminal sends it, and npm passes it on. */
const ONE_SIGNAL_MS = 300;

/** What programs are made of besides packages: no texts for readers, no weights. */
const CODE = /\.(ts|mjs|js|svelte|css|html|json|png|svg|woff2)$/;
/** The bundle that lies among the sources of the models is data. */
const DATA = join(ROOT, 'models/starter');

/** When the newest file under a path was changed that `counts`; 0 where there is none. */
function newest(path, counts) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || path === DATA) return 0;
  if (!found.isDirectory()) return counts(path) ? found.mtimeMs : 0;
  const times = readdirSync(path).map((name) => newest(join(path, name), counts));
  return Math.max(0, ...times);
}

/** Whether each of some outputs is newer than all that it is made of. */
function isFresh(made, sources) {
  const times = (names, counts) => names.map((name) => newest(join(ROOT, name), counts));
  const from = times([...LOCKS, ...sources], (path) => CODE.test(path));
  return Math.min(...times(made, () => true)) >= Math.max(...from);
}

/** Runs vite for outputs that are not fresh; false when that fails. */
function build(made, sources, ...args) {
  if (isFresh(made, sources)) return true;
  // An installed program brings its build along, and no vite.
  if (!existsSync(VITE)) return made.every((name) => existsSync(join(ROOT, name)));
  console.log(`Building ${made.join(', ')}…`);
  const built = spawnSync(NODE, [VITE, 'build', '--logLevel', 'warn', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  return built.status === 0;
}

/** Path of Electron's program, or undefined when it is not there. */
function electronProgram() {
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(ELECTRON, 'dist');
  const named = join(ELECTRON, 'path.txt');
  const name = existsSync(named) ? readFileSync(named, 'utf8').trim() : 'electron';
  return [join(folder, name), join(folder, 'electron.exe')].find((path) => existsSync(path));
}

/** Electron's own installer, which packages are not allowed to run by themselves. */
function fetchElectron() {
  const installer = join(ELECTRON, 'install.js');
  if (!existsSync(installer)) return undefined;
  const most = FETCH_MS / 1000;
  console.log(
    `Electron’s program is missing: fetching it from the network once, for ${most} seconds at most…`,
  );
  spawnSync(NODE, [installer], { cwd: ROOT, stdio: 'ignore', timeout: FETCH_MS });
  return electronProgram();
}

function hasScreen() {
  if (process.platform !== 'linux') return true;
  return Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/**
 * Hands over to another program: its signals, its exit code. A terminal sends Ctrl-C to all that it
 * started, and Electron ends without tidying up at the second one. So the program gets a session of
 * its own, where it hears of nothing but what is passed on here. On Windows it hears everything
 * itself, and what is passed on would end it at once.
 */
function handOver(program, args) {
  const apart = process.platform !== 'win32';
  const stdio = ['ignore', 'inherit', 'inherit'];
  const child = spawn(program, args, { cwd: ROOT, stdio, detached: apart });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    let last = -Infinity;
    process.on(signal, () => {
      const once = performance.now() - last > ONE_SIGNAL_MS;
      if (apart && once) child.kill(signal);
      last = performance.now();
    });
  }
  if (apart) stopTogether(child);
  child.on('error', (error) => {
    console.error(`${program} cannot be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15));
  });
}

/** Ctrl-Z holds the program and its engine too, until the terminal goes on with this one. */
function stopTogether({ pid }) {
  if (pid === undefined) return;
  process.on('SIGCONT', () => process.kill(-pid, 'SIGCONT'));
  process.on('SIGTSTP', () => {
    process.kill(-pid, 'SIGSTOP');
    process.kill(process.pid, 'SIGSTOP');
  });
}

if (!build(['out/renderer'], ['renderer', 'main/api'], '--config', 'renderer/vite.config.ts')) {
  console.error('The window could not be built, so nothing was started. See the lines above.');
  process.exit(1);
}

const program = hasScreen() ? (electronProgram() ?? fetchElectron()) : undefined;
const desktop =
  program !== undefined &&
  build(
    ['out/main', 'out/worker', 'out/preload', 'out/licences'],
    ['main', 'models'],
    ...['--app', '--config', 'main/electron/vite.config.ts'],
  );
if (desktop) {
  handOver(program, [join(ROOT, 'out/main/main.js'), ...process.argv.slice(2)]);
} else {
  console.log(`${whyNot()}: opening RCG Studio in the browser instead.`);
  const bin = fileURLToPath(new URL('./bin.mjs', import.meta.url));
  handOver(NODE, [bin, 'serve', ...process.argv.slice(2)]);
}

/** Why it is no desktop program that opens. */
function whyNot() {
  if (!hasScreen()) return 'There is no screen';
  if (program === undefined) return 'Electron’s program is not installed and could not be fetched';
  return 'The desktop program could not be built (see the lines above)';
}
