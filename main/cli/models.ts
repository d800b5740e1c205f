import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { StudioError } from '#api/errors';
import { reasonText } from '#api/reasons';
import { makeFolder } from '#pictures/files';
import { dropUnusedGraphs } from '#studio/models/compiled';
import { importFiles, planImport, type ImportFiles } from '#studio/models/imports';
import {
  shippedModels,
  type InstalledModel,
  type Library,
  type LibraryEntry,
} from '#studio/models/installed';
import { buildStarter } from '#studio/models/starter';
import type { ImportPreview, Methods } from '#worker/protocol';
import { formatBytes } from './printer.ts';
import type { Session } from './session.ts';

/** models list */
export async function listModels({ studio, print }: Session): Promise<number> {
  for (const entry of await studio.library.list()) print.result(summary(entry), inWords(entry));
  return 0;
}

function summary(entry: LibraryEntry): object {
  const { id, folder, shipped, state } = entry;
  if (entry.state === 'damaged') return { id, folder, shipped, state, reason: entry.reason };
  const { title, hash, networks, licences, files } = entry.manifest;
  return {
    id,
    folder,
    shipped,
    state,
    title,
    hash,
    networks: Object.keys(networks),
    licences: licences.map((licence) => licence.id),
    bytes: sizeOf(files),
  };
}

function inWords(entry: LibraryEntry): string {
  if (entry.state === 'damaged') return entry.reason;
  const { title, networks, licences, files } = entry.manifest;
  const bytes = formatBytes(sizeOf(files));
  const origin = entry.shipped ? 'shipped' : 'imported';
  const names = licences.map((licence) => licence.id).join(', ');
  return `${entry.id}  ${title.en}  ${Object.keys(networks).join(' + ')}  ${bytes}  ${origin}  ${names}`;
}

function sizeOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, file) => sum + file.size, 0);
}

/** models import FILE... */
export async function importModel(
  session: Session,
  files: readonly string[],
  options: Omit<ImportFiles, 'files'> & { readonly yes?: boolean },
): Promise<number> {
  const { studio, signal, print } = session;
  const { library, home, engine } = studio;
  const request = await planImport({ ...options, files }, home.models);
  if (request.id !== null) await library.checkNewId(request.id);
  const preview = await engine.call('previewImport', request, { signal });
  await library.checkNewId(preview.id);
  const words = describe(preview);
  print.offer({ preview }, words);
  if (options.yes !== true) await confirm(session, words);
  await makeFolder(home.models);
  const named = { ...request, id: preview.id };
  const { id, hash } = await importFiles(engine, named, watched(session));
  await session.studio.library.judge(id, null);
  print.result({ id, hash }, `Imported ${id}. Try: rcg-studio generate --model ${id}`);
  return 0;
}

function describe(preview: ImportPreview): string {
  return [
    `${preview.title} (${preview.id}), ${formatBytes(preview.bytes)} when imported`,
    ...preview.parts.map(({ kind, from, about }) => `  ${kind}: ${reasonText(about)} (${from})`),
    ...preview.missing.map(
      ({ kind }) => `  no ${kind}: ${reasonText({ code: `without-${kind}`, values: {} })}`,
    ),
    ...preview.warnings.map((warning) => `  Warning: ${reasonText(warning)}`),
    ...preview.licences.flatMap(({ title, covers, text, nonCommercial }) => [
      '',
      `Licence of ${covers}: ${title}${nonCommercial ? ' (non-commercial use only)' : ''}`,
      text.trimEnd(),
    ]),
  ].join('\n');
}

async function confirm({ io, print, signal }: Session, words: string): Promise<void> {
  if (io.stdin.isTTY !== true || !io.stderr.isTTY) {
    throw new StudioError(
      'invalid-request',
      'Nothing was imported: give --yes to accept the licences shown, since there is no terminal to ask on.',
      { field: 'yes' },
    );
  }
  const lines = createInterface({ input: io.stdin });
  try {
    print.ask(words, 'Accept and import? [y/N] ');
    const answer = await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      // Ctrl-D, or Ctrl-C through the signal, is a no.
      lines.once('close', () => resolve(''));
      signal.addEventListener('abort', () => lines.close(), { once: true });
    });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    lines.close();
  }
  throw new StudioError('cancelled', 'Nothing was imported.');
}

/** models verify [ID]: exit code 1 when anything is wrong */
export async function verifyModels(session: Session, id: string | undefined): Promise<number> {
  const { studio, print } = session;
  const { library } = studio;
  const entries = id === undefined ? await library.list() : [await named(library, id)];
  let sound = true;
  for (const entry of entries) {
    const problems = await problemsOf(session, entry);
    sound &&= problems.length === 0;
    const words =
      problems.length === 0 ? 'every file is as it was imported' : problems.join('\n  ');
    print.result({ id: entry.id, problems }, `${entry.id}: ${words}`);
  }
  return sound ? 0 : 1;
}

/** A sound model of the list, one that is blocked too: nothing is made with it here. */
async function named(library: Library, id: string): Promise<InstalledModel> {
  const entry = (await library.list()).find((one) => one.id === id);
  return entry?.state === 'ready' ? entry : library.find(id);
}

async function problemsOf(session: Session, entry: LibraryEntry): Promise<readonly string[]> {
  if (entry.state === 'damaged') return [entry.reason];
  const { engine, library } = session.studio;
  const { problems } = await engine.call('verify', { bundle: entry.folder }, watched(session));
  const { hash } = entry.manifest;
  await library.judge(entry.id, { hash, at: Date.now(), problems });
  return problems.map(reasonText);
}

/** models export ID --out DIR */
export async function exportModel(
  session: Session,
  id: string,
  options: { readonly out: string },
): Promise<number> {
  const { studio, print } = session;
  const { library, engine } = studio;
  const { folder: bundle } = await named(library, id);
  const folder = resolve(options.out);
  const { files } = await engine.call('export', { bundle, folder }, watched(session));
  print.result({ id, folder, files }, [`${id} in ${folder}:`, ...files].join('\n  '));
  return 0;
}

/** models remove ID */
export async function removeModel({ studio, print }: Session, id: string): Promise<number> {
  await studio.library.remove(id);
  await dropUnusedGraphs(studio.home.cache, studio.library);
  print.result({ removed: id }, `Removed ${id}.`);
  return 0;
}

/** models build-starter FOLDER: for those who work on RCG Studio */
export async function rebuildStarter(session: Session, from: string): Promise<number> {
  const { studio, print } = session;
  const bundle = shippedModels()[0] ?? '';
  const { signal, onEvent: onProgress } = watched(session);
  const result = await buildStarter(studio.engine, { from, bundle }, { signal, onProgress });
  print.result(result, `Rebuilt ${bundle}, hash ${result.hash}.`);
  return 0;
}

/** What the engine is called with: Ctrl-C, and a bar that goes from file to file. */
function watched({ signal, print }: Session) {
  const onEvent = ({ done, total, file }: Methods['import']['event']): void =>
    print.progress?.(total > 0 ? done / total : 0, file);
  return { signal, onEvent };
}
