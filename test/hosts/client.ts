import type { OpenStudio } from '#studio/open-studio';
import { ended, type Connection } from './conformance.ts';
import type { Abilities, Keeping } from './shared.ts';

/** What a studio's client can do, in the words that all hosts share. */
export function abilitiesOf({ client, picture }: Connection): Abilities {
  return {
    async make(settings) {
      const { id } = await named(
        client.jobs.create({ source: { kind: 'sample' }, settings: { ...settings } }),
      );
      const { images } = await ended(client, id);
      return Promise.all(
        images.map(async (image) => {
          const { recipe, version } = await client.images.get({ id: image });
          const { bytes } = await picture(`/images/${image}/full?v=${version}`);
          return { recipe, png: bytes, handle: String(image) };
        }),
      );
    },
    async replay({ handle }) {
      const { tokens, differing } = await client.images.replay({ id: Number(handle) });
      return { tokens, differing };
    },
    async models() {
      return (await client.models.list()).map(({ id, state }) => [id, state] as const);
    },
    verify: async (id) => (await named(client.models.verify({ id }))).problems.length,
    remove: (id) => named(client.models.remove({ id })),
    offer: (files) => named(client.models.offer({ files: [...files] })),
    works: async () => (await client.studio.doctor()).every(({ state }) => state !== 'fail'),
  };
}

/** What a studio has at an address, as a host that needs no headers hands it out. */
export async function pictureOf(
  { assets }: Pick<OpenStudio, 'assets'>,
  path: string,
): ReturnType<Connection['picture']> {
  const asset = await assets.get(path);
  if (asset !== null) return { status: 200, type: asset.type, bytes: asset.bytes };
  const file = await assets.download(path);
  if (file === null) return { status: 404, type: null, bytes: new Uint8Array() };
  const bytes = await new Response(file.read(0, file.bytes - 1)).arrayBuffer();
  return { status: 200, type: file.type, bytes: new Uint8Array(bytes) };
}

/** Gives a refusal the field's own name: which part of the request it is in differs by call. */
async function named<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    const { data } = error as { readonly data?: { readonly field?: string } };
    const field = data?.field?.split('.').at(-1);
    throw Object.assign(error as Error, field === undefined ? {} : { field });
  });
}

/** What a studio's client can do with kept pictures. */
export function keepingOf({ client }: Pick<Connection, 'client'>): Keeping {
  return {
    async make(seed) {
      const settings = { count: 1, seed };
      const { id } = await client.jobs.create({ source: { kind: 'sample' }, settings });
      return (await ended(client, id)).images[0] ?? 0;
    },
    async find({ seed, tag, rating, bin }) {
      const ranges = [
        ...(seed === undefined ? [] : [{ field: 'seed' as const, min: seed, max: seed }]),
        ...(rating === undefined ? [] : [{ field: 'rating' as const, min: rating }]),
      ];
      const filter = { ranges, ...(tag === undefined ? {} : { tags: [tag] }), ...(bin && { bin }) };
      const sort = { by: 'createdAt', descending: true } as const;
      return (await client.images.search({ filter, sort })).ids;
    },
    rate: (id, rating) => named(client.images.update({ ids: [id], rating })),
    tag: (id, tag) => client.images.update({ ids: [id], addTags: [tag] }),
    remove: (id) => client.images.remove({ ids: [id] }),
    restore: (id) => client.images.restore({ ids: [id] }),
  };
}
