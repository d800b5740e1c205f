import type { Workshop } from '../workshop.ts';

/** The titles of installed models by the hash of their weights; null for one that is not there. */
export async function makerTitles({
  library,
}: Pick<Workshop, 'library'>): Promise<(hash: string) => string | null> {
  const models = await library.list().catch(() => []);
  const titles = new Map(
    models.flatMap((model) =>
      model.state === 'ready' ? [[model.manifest.hash, model.manifest.title.en] as const] : [],
    ),
  );
  return (hash) => titles.get(hash) ?? null;
}
