import type { Component } from 'svelte';
import { VIEWS, type View } from '../state/navigation.svelte.ts';

type Loaded = { readonly default: Component };

/** Views that are fetched when they are first opened. */
const files = import.meta.glob<Loaded>([
  '../gallery/GalleryView.svelte',
  '../models/ModelsView.svelte',
]);
export const lateViews: Partial<Record<View, () => Promise<Loaded>>> = {
  ...entry('gallery', files['../gallery/GalleryView.svelte']),
  ...entry('models', files['../models/ModelsView.svelte']),
};

/** The views that can be opened, in the order of the rail. */
export const viewsThere: readonly View[] = VIEWS.filter(
  (view) => view === 'generate' || view === 'settings' || view in lateViews,
);

function entry(view: View, load: (() => Promise<Loaded>) | undefined) {
  return load === undefined ? {} : { [view]: load };
}
