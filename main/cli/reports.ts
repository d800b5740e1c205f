import type { Recipe } from '#api/recipe';
import { inspectFile, type Inspection } from '#studio/making/inspect';
import { formatBytes } from './printer.ts';
import type { Session } from './session.ts';

/** Long values (tokens, representation) are shown to people by their beginning. */
const SHOWN_LENGTH = 80;

/** inspect FILE */
export async function inspectCommand(session: Session, file: string): Promise<number> {
  const { studio, print, signal } = session;
  const found = await inspectFile(studio, file, signal);
  const lines = found.kind === 'png' ? describePng(found.recipe) : describeCheckpoint(found);
  print.result({ file, ...found }, `${file}: ${lines.join('\n  ')}`);
  return 0;
}

function describePng(recipe: Recipe | null): readonly string[] {
  if (recipe === null) return ['a PNG without a recipe'];
  const fields = Object.entries(recipe).map(([field, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return `${field}: ${text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text}`;
  });
  return ['a PNG with a recipe', ...fields];
}

function describeCheckpoint(
  found: Extract<Inspection, { readonly kind: 'checkpoint' }>,
): readonly string[] {
  const { format, parts, metadata, tensors } = found;
  return [
    `${format}, ${tensors.length} tensors`,
    ...(parts.length === 0 ? ['no network of an RCG recognised'] : []),
    ...parts.map(({ kind, about }) => `${kind}: ${about}`),
    ...Object.entries(metadata).map(([key, value]) => `${key} = ${String(value)}`),
    ...tensors.map(({ name, dtype, shape }) => `${name}  ${dtype} [${shape.join(', ')}]`),
  ];
}

/** doctor: exit code 1 when the machine cannot make pictures or a model is damaged */
export async function doctorCommand({ studio, print, signal }: Session): Promise<number> {
  const { engine, home, library, software } = studio;
  const report = await engine.call('doctor', {}, { signal });
  const models = await library.list();
  const damaged = models.flatMap((entry) => (entry.state === 'damaged' ? [entry.reason] : []));
  const { cpu, cores, memory, int8, cpuTarget, providers } = report;
  const lines = [
    `${software} on Node ${report.node}, ${report.runtime}, ${report.platform}`,
    `${cpu}, ${cores} cores, ${formatBytes(memory)} of memory`,
    `int8 ${int8 ? 'pays' : 'does not pay'} on this CPU; --target cpu means ${cpuTarget}`,
    ...providers.map(
      ({ name, works, detail }) => `${name} ${works ? 'works' : 'fails'}: ${detail}`,
    ),
    `Data folder: ${home.root}`,
    `Models: ${models.map((entry) => entry.id).join(', ') || 'none'}`,
    ...damaged,
  ];
  print.result(
    { ...report, software, home, models: models.map(({ id, state }) => ({ id, state })) },
    lines.join('\n'),
  );
  return providers.some((provider) => provider.works) && damaged.length === 0 ? 0 : 1;
}
