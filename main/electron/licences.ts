import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

// Runs when the program is built: the renderer's packages are compiled into it and leave no folder
// behind, so their licences must be gathered while they are there.

/** What package-lock.json says of a package. */
interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly dev?: boolean;
  /** A folder of this repository. */
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const IMPORT = /(?:from|import)\s*\(?'((?:@[\w.-]+\/)?[a-z][\w.-]*)/g;
const TERMS = /^(licen[cs]e|copying|notice|third.?party)/i;

/** Writes `THIRD-PARTY.txt`: every package that the program carries, with its terms. */
export async function writeLicences(root: string, folder: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const carried = new Set<string>();
  const carry = (path: string): void => {
    const found = lock.packages[path];
    if (found === undefined || carried.has(path)) return;
    carried.add(path);
    for (const name of Object.keys(found.dependencies ?? {})) {
      const nested = `${path}/node_modules/${name}`;
      carry(nested in lock.packages ? nested : `node_modules/${name}`);
    }
  };
  for (const [path, { dev, link }] of Object.entries(lock.packages)) {
    if (path.startsWith('node_modules/') && !dev && !link) carry(path);
  }
  for (const name of await rendererPackages(join(root, 'renderer'))) carry(`node_modules/${name}`);

  const sections: string[] = [];
  for (const path of [...carried].sort()) {
    const terms = await readTerms(join(root, path));
    // Locked for another platform, and so not in this program.
    if (terms === null) continue;
    const { version = '', license = '' } = lock.packages[path] ?? {};
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    sections.push(`${name} ${version} (${license})\n\n${terms}`);
  }
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'THIRD-PARTY.txt'), sections.join(`\n\n${'='.repeat(72)}\n\n`));
}

async function rendererPackages(folder: string): Promise<ReadonlySet<string>> {
  const names = (await readdir(folder, { recursive: true })).filter(
    (name) => /\.(ts|svelte)$/.test(name) && !name.endsWith('.config.ts'),
  );
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(IMPORT)].map((match) => match[1] ?? '')),
  );
}

/** A package's terms, or its README where it keeps them there; null when it is not installed. */
async function readTerms(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => null);
  if (names === null) return null;
  const terms = names.filter((name) => TERMS.test(name));
  const files = terms.length > 0 ? terms : names.filter((name) => /^readme/i.test(name));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.join('\n\n').trim();
}
