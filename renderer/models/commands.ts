import type { ActionsOf } from '../state/commands.svelte.ts';
import type { MODELS_COMMANDS } from './command-table.ts';
import type { ModelsPage } from './models-page.svelte.ts';

/** What the commands of the Models view do. */
export function modelsActions(page: ModelsPage): ActionsOf<typeof MODELS_COMMANDS> {
  const { doctor } = page;
  return {
    'models.verify': {
      enabled: () => page.model !== null && page.verifying === null,
      run: () => void (page.model !== null && page.verify(page.model.id)),
    },
    'models.import': { run: () => page.import.begin() },
    'models.doctor': { enabled: () => !doctor.running, run: () => void doctor.run() },
    'models.report': {
      enabled: () => doctor.result !== null,
      run: () => void page.copy(doctor.report()),
    },
  };
}
