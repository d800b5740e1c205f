import type { FilterChoices } from '#api/gallery';
import { STATE, type Columns } from './columns.ts';
import type { Library } from './search.ts';

/** Orders versions by their numbers: 0.10 comes after 0.9. */
const VERSIONS = new Intl.Collator('en', { numeric: true });

/** What there is among the pictures, those in the bin too, to choose conditions from. */
export function choices({ store, columns }: Library): FilterChoices {
  const models = store
    .rows<{ row: number; id: string; hash: string; title: string | null }>(
      'SELECT id AS row, model_id AS id, hash, title FROM models ORDER BY model_id, id',
    )
    .all();
  const labels = labelsOf(columns);
  const used = models.filter(({ row }) => labels.has(row));
  const classes = new Map<string, FilterChoices['classes'][number]>();
  for (const { row, id } of used) {
    for (const value of [...(labels.get(row) ?? [])].sort(anyFirst)) {
      const found = { model: id, label: Number.isNaN(value) ? null : value };
      classes.set(`${id} ${value}`, found);
    }
  }
  return {
    models: used.map(({ id, hash, title }) => ({ id, hash, title })),
    classes: [...classes.values()],
    software: softwareOf(columns),
  };
}

/** The labels that each model's row was asked for; NaN stands for "any". */
function labelsOf(columns: Columns): ReadonlyMap<number, ReadonlySet<number>> {
  const labels = new Map<number, Set<number>>();
  const [model, label, source] = [
    columns.column('model'),
    columns.column('label'),
    columns.column('source'),
  ];
  const sampled = columns.code('sample');
  for (let row = 0; row < columns.length; row++) {
    const of = model[row] ?? NaN;
    const known = labels.get(of) ?? new Set();
    if (known.size === 0) labels.set(of, known);
    // Only what was drawn has a class, if it is "any".
    if (source[row] === sampled) known.add(label[row] ?? NaN);
  }
  return labels;
}

function softwareOf(columns: Columns): FilterChoices['software'] {
  const counts = new Map<number, number>();
  const [software, state] = [columns.column('software'), columns.column('state')];
  for (let row = 0; row < columns.length; row++) {
    if (state[row] === STATE.gone) continue;
    const code = software[row] ?? NaN;
    counts.set(code, (counts.get(code) ?? 0) + Number(state[row] === STATE.live));
  }
  return [...counts]
    .map(([code, count]) => ({ name: columns.word(code), count }))
    .sort((a, b) => VERSIONS.compare(b.name, a.name));
}

const anyFirst = (a: number, b: number): number =>
  Number(Number.isNaN(b)) - Number(Number.isNaN(a)) || a - b;
