import { copyPicture } from '../state/transfer.ts';
import type { Command } from '../state/commands.svelte.ts';
import type { Generate } from './generate.svelte.ts';

/** What can be done by key in the Generate view. */
export function generateCommands(generate: Generate): readonly Command[] {
  const { steps } = generate;
  const views = ['generate'] as const;
  const hasPicture = () => generate.detail !== null;
  const hasSteps = () => steps.list.length > 0;
  const make = { group: 'make', views } as const;
  const view = { group: 'view', views } as const;
  return [
    {
      ...make,
      id: 'generate',
      title: 'command.generate',
      key: 'Enter',
      run: () => void generate.add(),
    },
    {
      id: 'add',
      title: 'command.add',
      group: 'make',
      key: 'Ctrl+Enter',
      run: () => void generate.add(),
    },
    { ...make, id: 'dice', title: 'command.dice', key: 'R', run: () => generate.dice() },
    {
      ...make,
      ...{ id: 'variations', title: 'command.variations', key: 'V', enabled: hasPicture },
      run: () => generate.variations(),
    },
    ...markCommands(generate),
    {
      ...view,
      ...{ id: 'stage.escape', title: 'command.stage.escape', key: 'Esc' },
      enabled: () => generate.canEscape,
      run: () => generate.escape(),
    },
    {
      ...{ id: 'stage.gallery', title: 'command.stage.gallery', group: 'go', key: 'G', views },
      enabled: hasPicture,
      run: () => generate.leaveFor('image'),
    },
    {
      ...{ id: 'stage.similar', title: 'command.gallery.similar', group: 'go', key: 'F', views },
      enabled: hasPicture,
      run: () => generate.leaveFor('similar'),
    },
    {
      ...{ id: 'picture.copy', title: 'command.copyPicture', group: 'edit', key: 'Ctrl+C', views },
      // With text marked the key means that.
      enabled: () => generate.finished !== null && (getSelection()?.toString() ?? '') === '',
      run: () => void generate.copyPicture(copyPicture),
    },
    {
      ...{ id: 'recipe.copy', title: 'command.copyRecipe', group: 'edit', key: 'Ctrl+Shift+C' },
      ...{ views, enabled: hasPicture },
      run: () => void generate.copyRecipe(),
    },
    {
      ...view,
      ...{ id: 'parent', title: 'command.parent', key: '\\' },
      enabled: () => (generate.detail?.parents.length ?? 0) > 0,
      // By its name there is no key to hold: it stays until it is asked for again.
      run: () => (generate.parentHeld = !generate.parentHeld),
      release: () => (generate.parentHeld = false),
    },
    { ...view, id: 'tab.picture', title: 'command.picture', run: () => (generate.tab = 'picture') },
    { ...view, id: 'tab.tokens', title: 'command.tokens', run: () => (generate.tab = 'tokens') },
    {
      ...view,
      ...{ id: 'tab.uncertainty', title: 'command.uncertainty', key: 'U' },
      run: () => (generate.tab = generate.tab === 'uncertainty' ? 'picture' : 'uncertainty'),
    },
    {
      ...view,
      ...{
        id: 'step.back',
        title: 'command.previousStep',
        key: 'Left',
        enabled: hasSteps,
        repeats: true,
      },
      run: () => steps.by(-1),
    },
    {
      ...view,
      ...{
        id: 'step.forward',
        title: 'command.nextStep',
        key: 'Right',
        enabled: hasSteps,
        repeats: true,
      },
      run: () => steps.by(1),
    },
    {
      ...view,
      ...{ id: 'step.play', title: 'command.play', key: 'Space', enabled: hasSteps },
      run: () => steps.play(),
      release: () => steps.release(),
    },
    { ...view, id: 'zoom.fit', title: 'command.fit', key: 'Z', run: () => (generate.zoom = null) },
    {
      ...view,
      id: 'zoom.full',
      title: 'command.fullSize',
      key: 'Shift+Z',
      run: () => (generate.zoom = 1),
    },
  ] satisfies readonly Command[];
}

/** What is said of the picture on the stage, by the keys that do it in the gallery. */
function markCommands({ marks }: Generate): readonly Command[] {
  const edit = { group: 'edit', views: ['generate'], enabled: () => marks.can } as const;
  const RATINGS = [0, 1, 2, 3, 4, 5] as const;
  return [
    { ...edit, id: 'star', title: 'command.star', key: 'S', run: () => void marks.star() },
    ...RATINGS.map((rating): Command => ({
      ...edit,
      ...{ id: `stage.rate${rating}`, title: `command.gallery.rate${rating}` },
      ...{ key: String(rating), run: () => void marks.rate(rating) },
    })),
    {
      ...edit,
      ...{ id: 'stage.tag', title: 'command.gallery.tag', key: 'T' },
      run: () => (marks.asking = 'tag'),
    },
    {
      ...edit,
      ...{ id: 'stage.board', title: 'command.gallery.board', key: 'M' },
      run: () => (marks.asking = 'board'),
    },
    {
      ...edit,
      ...{ id: 'stage.bin', title: 'command.gallery.bin', key: 'Delete' },
      run: () => void marks.remove(),
    },
  ];
}
