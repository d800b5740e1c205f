/** The library's way to another computer. */
export const transfer = {
  'transfer.title': 'Another computer',
  'transfer.rowText':
    'A folder with the whole library: pictures, ratings, tags, boards, searches. No models.',
  'transfer.export': 'Export…',
  'transfer.import': 'Import…',
  'transfer.door': 'Import library',
  'transfer.exportTitle': 'Export the library',
  'transfer.importTitle': 'Import a library',
  'transfer.exportText':
    'Everything is written into a new folder, each file with its hash. Your library stays as it is; jobs go on meanwhile.',
  'transfer.importText':
    'Every file is verified first. Then pictures that are not here come in with their ratings, tags and boards; nothing of yours is overwritten.',
  'transfer.exportTo': 'New folder',
  'transfer.importFrom': 'Exported folder',
  'transfer.exportHint':
    'The whole path of a new or empty folder, on the computer that the studio runs on.',
  'transfer.importHint':
    'The whole path of the folder with manifest.json, on the computer that the studio runs on.',
  'transfer.exportGo': 'Export',
  'transfer.importGo': 'Import',
  'transfer.exporting': 'Copying pictures',
  'transfer.checking': 'Verifying every file…',
  'transfer.importing': 'Taking pictures in',
  'transfer.part': '{done} of {total} pictures',
  'transfer.exported': {
    one: '{count} picture exported to {folder}.',
    other: '{count} pictures exported to {folder}.',
  },
  'transfer.withoutFile': {
    one: '{count} of them has no whole file; its recipe went along.',
    other: '{count} of them have no whole file; their recipes went along.',
  },
  'transfer.imported': {
    one: '{count} picture came in; {known} were here already.',
    other: '{count} pictures came in; {known} were here already.',
  },
  'transfer.missingModels':
    'Not installed here: {models}. Their pictures can be looked at, but not made again.',
  'transfer.exportStopped': 'The export was stopped. Nothing is left of it.',
  'transfer.importStopped':
    'The import was stopped. What came in is whole; import the folder again for the rest.',
} as const;
