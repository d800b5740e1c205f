import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Configuration } from 'electron-builder';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyBundle } from '../helpers/tiny-model.ts';
import { buildApp, start } from './boot.ts';

/**
 * electron-builder's settings, and a pack of the program around a stub that stands for Electron's
 * own files. Not run in real Electron here: this shows what a package holds, that its main program
 * runs from that alone, and which fuses are set; not that it starts, nor installers, nor signing.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const PLATFORM = `${process.platform}-${process.arch}`;

// What electron-builder itself is made of; its tools are not ours to depend on by name.
const inside = createRequire(createRequire(import.meta.url).resolve('electron-builder'));
const builder = createRequire(inside.resolve('app-builder-lib'));
interface ConfigTools {
  getConfig(root: string, path: string | null, given: null): Promise<Configuration>;
  validateConfiguration(config: object, log: { isEnabled: boolean }): Promise<void>;
}
const { getConfig, validateConfiguration } = builder('./util/config/config') as ConfigTools;
const asar = builder('@electron/asar') as {
  listPackage(file: string, options: object): string[];
  extractAll(file: string, folder: string): void;
};
const fuses = builder('@electron/fuses') as {
  getCurrentFuseWire(program: string): Promise<Readonly<Record<string, number | string>>>;
};

describe('electron-builder.yml', () => {
  const validate = async (change: (config: Configuration) => object): Promise<void> =>
    validateConfiguration(change(await getConfig(ROOT, null, null)), { isEnabled: false });

  test('fits the schema', async () => {
    await validate((config) => config);
  });

  test('is really checked', async () => {
    await expect(validate((config) => ({ ...config, fuses: {} }))).rejects.toThrow(/fuses/);
    await expect(
      validate((config) => ({ ...config, electronFuses: { runAsNodes: true } })),
    ).rejects.toThrow(/electronFuses/);
  });

  test('publishes nowhere, rebuilds nothing, and names a target for each system', async () => {
    const config = await getConfig(ROOT, null, null);
    expect(config.publish).toBeNull();
    expect(config.npmRebuild).toBe(false);
    expect([config.linux?.target, config.win?.target, config.mac?.target]).toEqual([
      'AppImage',
      'nsis',
      'dmg',
    ]);
    expect(config.nsis?.deleteAppDataOnUninstall).toBe(false);
  });

  test('names no person, address or site that nobody gave', async () => {
    const { linux, deb, extraMetadata } = await getConfig(ROOT, null, null);
    const named = [linux?.maintainer, deb, extraMetadata?.homepage, extraMetadata?.author];
    expect(named.filter((each) => each !== undefined)).toEqual([]);
    const text = await readFile(join(ROOT, 'electron-builder.yml'), 'utf8');
    expect(text).not.toMatch(/\w@\w|https?:|example\.|localhost/);
  });

  test('takes the maintainer and homepage of a .deb from the command', async () => {
    await validate((config) => ({
      ...config,
      linux: { ...config.linux, target: 'deb', maintainer: 'A person <person@there>' },
      extraMetadata: { homepage: 'there' },
    }));
  });
});

/** The mark that Electron's program carries in front of its fuses. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** Electron's own defaults, one letter a fuse. */
const DEFAULT_FUSES = '10110001';

/** A folder with the files that electron-builder wants of Electron, and a program that does nothing. */
async function stubElectron(folder: string): Promise<void> {
  await mkdir(join(folder, 'resources'), { recursive: true });
  await mkdir(join(folder, 'locales'));
  const program = `#!/bin/sh\nexit 1\n${SENTINEL}\u0001${String.fromCharCode(DEFAULT_FUSES.length)}${DEFAULT_FUSES}`;
  for (const name of ['electron', 'chrome-sandbox', 'chrome_crashpad_handler']) {
    await writeFile(join(folder, name), name === 'electron' ? program : 'stub');
    await chmod(join(folder, name), 0o755);
  }
  for (const name of ['LICENSE', 'LICENSES.chromium.html', 'locales/en-US.pak', 'locales/fr.pak']) {
    await writeFile(join(folder, name), 'stub');
  }
}

// Measured at 5 s on two cores. The layout of a package differs by system; the settings do not.
describe.skipIf(process.platform !== 'linux')('a pack around a stub of Electron', () => {
  let folder = '';
  let resources = '';
  let content: readonly string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rcg-studio-pack-'));
    const app = await buildApp();
    await stubElectron(join(folder, 'electron'));
    const config = await getConfig(ROOT, null, null);
    // The programs come from a build of this test; everything else is as the file says.
    const built = (from: string) => ({ from: join(app, from), to: from });
    const files = [config.files ?? []]
      .flat()
      .flatMap((each) => (typeof each === 'string' ? each : (each.filter ?? [])));
    const programs = files.filter((each) => each.startsWith('out/'));
    expect(programs).toEqual(['out/main/**', 'out/preload/**', 'out/worker/**', 'out/renderer/**']);
    const settings: Configuration = {
      ...config,
      files: [
        'package.json',
        ...files.filter((each) => !programs.includes(each)),
        ...['out/main', 'out/preload', 'out/worker', 'out/renderer'].map(built),
      ],
      extraResources: [config.extraResources ?? []]
        .flat()
        .map((each) =>
          typeof each === 'object' && each.from?.startsWith('out/') === true
            ? { ...each, from: join(app, each.from) }
            : each,
        ),
      electronDist: join(folder, 'electron'),
      directories: { output: join(folder, 'dist') },
    };
    await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
    await promisify(execFile)(
      process.execPath,
      [inside.resolve('electron-builder/cli.js'), '--linux', 'dir'].concat([
        '--projectDir',
        ROOT,
        '--config',
        join(folder, 'settings.json'),
      ]),
      { cwd: ROOT },
    );
    await rm(app, { recursive: true, force: true });
    resources = join(folder, 'dist/linux-unpacked/resources');
    content = asar.listPackage(join(resources, 'app.asar'), { isPack: false });
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('holds the programs and the packages they load, and nothing else', () => {
    const top = new Set(content.map((path) => path.split('/').slice(1, 3).join('/')));
    expect([...top].sort()).toEqual(
      ['node_modules', 'out', 'package.json']
        .concat(['main', 'preload', 'renderer', 'worker'].map((name) => `out/${name}`))
        .concat(
          ['@img', '@orpc', '@standard-schema', 'better-sqlite3', 'cookie', 'detect-libc']
            .concat(['onnxruntime-common', 'onnxruntime-node', 'openapi-types', 'radash'])
            .concat(['semver', 'sharp', 'tagged-tag', 'type-fest', 'zod'])
            .map((name) => `node_modules/${name}`),
        )
        .sort(),
    );
    for (const path of [
      'main/main.js',
      'preload/index.cjs',
      'worker/entry.js',
      'renderer/index.html',
    ]) {
      expect(content).toContain(`/out/${path}`);
    }
    expect(content.filter((path) => /\.(ts|map|gyp|cc|cpp|h)$|\/tests?\//.test(path))).toEqual([]);
  });

  test('has the native parts of one platform only, as plain files', async () => {
    const native = /\.(node|dylib|dll|so)(\.[\d.]+)?$/;
    const inArchive = content.filter((path) => native.test(path)).map((path) => path.slice(1));
    const unpacked = await readdir(join(resources, 'app.asar.unpacked'), { recursive: true });
    expect(unpacked.filter((path) => native.test(path)).sort()).toEqual(inArchive.sort());
    expect(inArchive.map((path) => path.replace(/[\d.]*$/, ''))).toEqual(
      expect.arrayContaining([
        `node_modules/better-sqlite3/prebuilds/${PLATFORM}.node`,
        `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/onnxruntime_binding.node`,
        `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so`,
      ]),
    );
    expect(inArchive).toHaveLength(5);
  });

  test('has the starter model and the licences beside the archive', async () => {
    const starter = await readdir(join(resources, 'models/starter'));
    expect(starter).toContain('manifest.json');
    expect(starter.filter((name) => !/\.(json|safetensors|md)$/.test(name))).toEqual([]);
    expect((await readdir(join(resources, 'licences'))).sort()).toEqual([
      'LICENSE.txt',
      'THIRD-PARTY.txt',
    ]);
  });

  test('has its fuses set', async () => {
    const wire = await fuses.getCurrentFuseWire(join(resources, '../rcg-studio'));
    const set = Object.entries(wire).filter(([name]) => /^\d+$/.test(name));
    // RunAsNode, cookies, NODE_OPTIONS, inspect, integrity, asar only, snapshot, file: privileges.
    expect(set.map(([, state]) => String.fromCharCode(Number(state))).join('')).toBe('01001100');
  });

  test('runs from what it holds: main, engine, natives, shipped model', async () => {
    const extracted = join(folder, 'extracted');
    asar.extractAll(join(resources, 'app.asar'), extracted);
    Object.assign(process, { resourcesPath: resources });
    const home = join(folder, 'home');
    await tinyBundle(join(home, 'models'));
    const packed = await start(extracted, home, (electron) => (electron.packaged = true));
    expect(packed.electron.windows[0]?.options.webPreferences?.devTools).toBe(false);
    const { studio } = await packed.connect();
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(await studio.studio.status()).toMatchObject({ version, state: { kind: 'open' } });
    expect(await studio.models.verify({ id: 'starter' })).toEqual({ problems: [] });
    const stream = await studio.studio.events();
    await studio.jobs.create({
      source: { kind: 'sample' },
      settings: { model: 'tiny', count: 1, rdmSteps: 2, steps: 2 },
    });
    for await (const event of stream) {
      if (event.kind !== 'jobs') continue;
      const [job] = event.jobs;
      expect(job?.error ?? null).toBeNull();
      if (job?.state === 'done') break;
    }
    const { ids } = await studio.images.search({
      filter: {},
      sort: { by: 'seed', descending: false },
    });
    const [id = 0] = ids;
    expect((await packed.fetch(`/images/${id}/thumb`)).status).toBe(200);
    await packed.quit();
  });
});
