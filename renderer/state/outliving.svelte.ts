import { untrack } from 'svelte';

/**
 * Makes a controller that lives as long as the window, though a view asks for it first: what is
 * derived in it would otherwise stop to follow when that view is closed.
 */
export function outliving<T>(make: () => T): T {
  const made: T[] = [];
  $effect.root(() => {
    made.push(untrack(make));
  });
  // Without a page there are no effects, and nothing to outlive.
  return made[0] ?? make();
}
