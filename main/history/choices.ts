import type { FilterChoices } from '#api/gallery';
import type { Library } from './search.ts';

/** What there is among the pictures, those in the bin too, to choose conditions from. */
export function choices({ store, columns }: Library): FilterChoices {
  const models = store
    .rows<{ row: number; id: string; hash: string; title: string | null }>(
      'SELECT id AS row, model_id AS id, hash, title FROM models ORDER BY model_id, id',
    )
    .all();
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
  };
}

const anyFirst = (a: number, b: number): number =>
  Number(Number.isNaN(b)) - Number(Number.isNaN(a)) || a - b;
