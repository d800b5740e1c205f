/** What the menu says, English and Japanese. Entries named after a role are what that role does. */
const TEXT = {
  file: ['File', 'ファイル'],
  edit: ['Edit', '編集'],
  view: ['View', '表示'],
  window: ['Window', 'ウインドウ'],
  help: ['Help', 'ヘルプ'],
  about: ['About RCG Studio', 'RCG Studioについて'],
  settings: ['Settings…', '設定…'],
  services: ['Services', 'サービス'],
  hide: ['Hide RCG Studio', 'RCG Studioを隠す'],
  hideOthers: ['Hide Others', 'ほかを隠す'],
  unhide: ['Show All', 'すべてを表示'],
  quit: ['Quit RCG Studio', 'RCG Studioを終了'],
  undo: ['Undo', '元に戻す'],
  redo: ['Redo', 'やり直す'],
  cut: ['Cut', '切り取り'],
  copy: ['Copy', 'コピー'],
  paste: ['Paste', '貼り付け'],
  selectAll: ['Select All', 'すべて選択'],
  generate: ['Generate', '生成'],
  gallery: ['Gallery', 'ギャラリー'],
  models: ['Models', 'モデル'],
  resetZoom: ['Actual Size', '実際のサイズ'],
  zoomIn: ['Zoom In', '拡大'],
  zoomOut: ['Zoom Out', '縮小'],
  togglefullscreen: ['Full Screen', 'フルスクリーン'],
  minimize: ['Minimise', '最小化'],
  close: ['Close Window', 'ウインドウを閉じる'],
  library: ['Show Library Folder', 'ライブラリのフォルダーを表示'],
  licences: ['Licences', 'ライセンス'],
} as const;
export type MenuWord = keyof typeof TEXT;

/** The words for a language setting; `locale` is the system's, such as `ja-JP`. */
export function menuText(
  language: 'system' | 'en' | 'ja',
  locale: string,
): (word: MenuWord) => string {
  const japanese = language === 'system' ? locale.startsWith('ja') : language === 'ja';
  return (word) => TEXT[word][japanese ? 1 : 0];
}
