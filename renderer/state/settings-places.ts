/** The sections of the settings, in their order. */
export const SETTINGS_PARTS = ['look', 'making', 'library', 'keys', 'about'] as const;

/** Settings that a person may look for by name, and the section each is in. */
export const SETTINGS_ROWS = [
  { part: 'look', name: 'language' },
  { part: 'look', name: 'theme' },
  { part: 'look', name: 'textSize' },
  { part: 'look', name: 'motion' },
  { part: 'making', name: 'target' },
  { part: 'making', name: 'chunk' },
  { part: 'making', name: 'previews' },
  { part: 'making', name: 'idle' },
  { part: 'library', name: 'folder' },
  { part: 'library', name: 'moveTitle' },
  { part: 'library', name: 'bin' },
  { part: 'library', name: 'backups' },
  { part: 'library', name: 'backupNow' },
  { part: 'library', name: 'thumbnails' },
  { part: 'library', name: 'metadata' },
  { part: 'keys', name: 'singleKeys' },
  { part: 'about', name: 'licences' },
] as const;
