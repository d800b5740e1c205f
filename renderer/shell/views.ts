import type { Component } from 'svelte';
import type { View } from '../state/navigation.svelte.ts';

/** Views that are fetched when they are first opened: the window starts in Generate. */
export const LATE_VIEWS: Readonly<
  Record<Exclude<View, 'generate' | 'settings'>, () => Promise<{ readonly default: Component }>>
> = {
  gallery: () => import('../gallery/GalleryView.svelte'),
  models: () => import('../models/ModelsView.svelte'),
};
