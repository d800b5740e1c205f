import { StudioError } from '#api/errors';
import type { ImageDetail, UpdateImages } from '#api/images';
import type { UndoState } from '#api/undo';
import type { History } from '#history/history';
import { imageDetail, labelOf } from './detail.ts';
import { MAX_LISTED } from './events.ts';
import type { Models } from './models/models.ts';
import type { Workshop } from './workshop.ts';

type Done = ReturnType<History['changes']['undo']>;

/** What a person does with pictures that are there. Windows hear of every change. */
export interface Gallery {
  detail(id: number): Promise<ImageDetail>;
  update(request: UpdateImages): UndoState;
  remove(ids: readonly number[]): UndoState;
  restore(ids: readonly number[]): UndoState;
  step(way: 'undo' | 'redo'): Promise<UndoState>;
}

export function createGallery(shop: Workshop, models: Models): Gallery {
  const changes = () => shop.history().changes;
  const noted = (done: Done): UndoState => {
    if (done.ids.length > 0) {
      shop.events.publish({ kind: 'images', ids: done.ids.length > MAX_LISTED ? null : done.ids });
    } else if (done.item !== null) {
      // A board or a search: what lists them has to be read again.
      shop.events.publish({ kind: 'images', ids: [] });
    }
    return changes().state();
  };

  /** Folders and log change together, in one operation's name. */
  const step = async (way: 'undo' | 'redo'): Promise<UndoState> => {
    const { item, payload } = changes().peek(way);
    if (item === null) return changes().state();
    try {
      await models.step(payload, way);
    } catch (error) {
      // What can never be done must not stand before all that was done earlier.
      if (error instanceof StudioError && error.code === 'not-found') {
        changes().forget(item.id);
        shop.events.publish({ kind: 'images', ids: [] });
      }
      throw error;
    }
    const done = way === 'undo' ? changes().undo(item.id) : changes().redo(item.id);
    // Something new was done meanwhile, and what was undone is forgotten.
    if (done.item === null) await models.step(payload, way === 'undo' ? 'redo' : 'undo');
    return noted(done);
  };
  let lastStep: Promise<unknown> = Promise.resolve();

  return {
    async detail(id) {
      const image = shop.history().images.get(id);
      if (labelOf(image) === null) return imageDetail(image, undefined);
      const { hash } = image.recipe.model;
      const list = await shop.library.list();
      const maker = list.find((one) => one.state === 'ready' && one.manifest.hash === hash);
      return imageDetail(image, maker?.state === 'ready' ? maker.manifest : undefined);
    },
    update: (request) => noted(changes().update(request)),
    remove: (ids) => noted(changes().remove(ids)),
    restore: (ids) => noted(changes().restore(ids)),
    step(way) {
      // Another window may ask for the same just now: it gets the next one.
      const stepping = lastStep.catch(() => undefined).then(() => step(way));
      lastStep = stepping;
      return stepping;
    },
  };
}
