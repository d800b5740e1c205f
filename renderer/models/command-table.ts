import type { CommandInfo } from '../state/commands.svelte.ts';

const views = ['models'] as const;

/** The commands of the Models view: the window knows them before the view is opened. */
export const MODELS_COMMANDS = [
  { views, group: 'view', id: 'models.verify', title: 'command.models.verify' },
  { views, group: 'edit', id: 'models.import', title: 'command.models.import' },
  { views, group: 'view', id: 'models.doctor', title: 'command.models.doctor' },
  { views, group: 'edit', id: 'models.report', title: 'command.models.report' },
] as const satisfies readonly CommandInfo[];
