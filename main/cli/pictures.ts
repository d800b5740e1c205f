import { decodeFile, encodeFiles } from '#studio/making/convert';
import { generate, type GenerateFiles } from '#studio/making/generate';
import type { MadePicture, MakeOptions } from '#studio/making/make';
import { makePath, type PathRequest } from '#studio/making/path';
import { replayFile, type Comparison } from '#studio/making/replay';
import { formatSeconds } from './printer.ts';
import type { Session } from './session.ts';

/** generate */
export async function generateCommand(
  session: Session,
  request: GenerateFiles & { readonly library?: boolean },
): Promise<number> {
  if (request.library === true) return (await import('./keep.ts')).keepCommand(session, request);
  const { studio, print, io } = session;
  const started = io.now();
  const made = await generate(studio, request, makeOptions(session));
  if (made.length > 1) {
    print.note(`${made.length} pictures in ${formatSeconds(io.now() - started)}.`);
  }
  return 0;
}

/** interpolate A B */
export async function interpolateCommand(
  session: Session,
  from: string,
  to: string,
  options: Omit<PathRequest, 'from' | 'to'>,
): Promise<number> {
  const { studio, print } = session;
  const strip = await makePath(studio, { ...options, from, to }, makeOptions(session));
  print.result(strip, `${strip.file}  all ${strip.frames} frames`);
  return 0;
}

function makeOptions({ print, signal }: Session): MakeOptions {
  const { progress } = print;
  let done = 0;
  return {
    signal,
    onPicture: (picture) => {
      done++;
      const { path, recipe, times, written } = picture;
      const { seed, tokenHash } = recipe;
      print.result({ file: path, seed, recipe, tokenHash, ms: times, written }, inWords(picture));
    },
    onProgress: progress && ((part) => progress(part, `${done} written`)),
  };
}

function inWords({ path, recipe, times, written }: MadePicture): string {
  const time = formatSeconds(times.representation + times.tokens + times.pixels);
  const note = written === 'replaced' ? '  (replaced an older picture of ours)' : '';
  return `${path}  seed ${recipe.seed}  ${time}${note}`;
}

interface ConvertOptions {
  readonly model: string;
  readonly target: string;
  readonly out: string;
}

/** encode FILE... --out reps.npy */
export async function encodeCommand(
  { studio, print, signal }: Session,
  files: readonly string[],
  options: ConvertOptions,
): Promise<number> {
  const { progress } = print;
  const onProgress =
    progress && ((done: number) => progress(done / files.length, `picture ${done}`));
  const shape = await encodeFiles(studio, { ...options, files }, { signal, onProgress });
  print.result(
    { file: options.out, shape, pictures: files },
    `${options.out}  ${shape.join(' × ')} float32`,
  );
  return 0;
}

/** decode FILE */
export async function decodeCommand(
  { studio, print, signal }: Session,
  file: string,
  options: Omit<ConvertOptions, 'model'> & { readonly model?: string },
): Promise<number> {
  const onFile = (path: string, written: string) => print.result({ file: path, written }, path);
  await decodeFile(studio, { ...options, file }, { signal, onFile });
  return 0;
}

/** replay FILE.png: exit code 0 when the tokens are identical, 1 when some differ */
export async function replayCommand(session: Session, file: string): Promise<number> {
  const { studio, print, signal } = session;
  const found = await replayFile(studio, file, signal);
  print.result({ file, ...found }, `${file}  ${verdict(found)}`);
  return found.tokensDiffer === 0 ? 0 : 1;
}

function verdict({ identical, tokens, tokensDiffer, valuesDiffer }: Comparison): string {
  if (identical) return 'identical';
  if (tokensDiffer > 0) return `${tokensDiffer} of ${tokens} tokens differ`;
  return (
    `all ${tokens} tokens are identical, but ${valuesDiffer} colour values differ: ` +
    'the file was changed, or made on another kind of machine'
  );
}
