import type { Command } from '../state/commands.svelte.ts';
import type { ModelsPage } from './models-page.svelte.ts';

const views = ['models'] as const;

/** What can be done by name or key in the Models view. */
export function modelsCommands(page: ModelsPage): readonly Command[] {
  const { doctor } = page;
  return [
    {
      ...{ id: 'models.verify', title: 'command.models.verify', group: 'view', views },
      enabled: () => page.model !== null && page.verifying === null,
      run: () => void (page.model !== null && page.verify(page.model.id)),
    },
    {
      ...{ id: 'models.import', title: 'command.models.import', group: 'edit', views },
      run: () => page.import.begin(),
    },
    {
      ...{ id: 'models.doctor', title: 'command.models.doctor', group: 'view', views },
      enabled: () => !doctor.running,
      run: () => void doctor.run(),
    },
    {
      ...{ id: 'models.report', title: 'command.models.report', group: 'edit', views },
      enabled: () => doctor.result !== null,
      run: () => void page.copy(doctor.report()),
    },
  ];
}
