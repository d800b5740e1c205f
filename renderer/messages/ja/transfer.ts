import type { transfer as en } from '../en/transfer.ts';
import type { Translation } from '../types.ts';

export const transfer: Translation<typeof en> = {
  'transfer.title': '別のコンピューター',
  'transfer.rowText':
    '画像、評価、タグ、ボード、検索を含むライブラリ全体を 1 つのフォルダーにします。モデルは含みません。',
  'transfer.export': '書き出し…',
  'transfer.import': '取り込み…',
  'transfer.door': 'ライブラリの取り込み',
  'transfer.exportTitle': 'ライブラリの書き出し',
  'transfer.importTitle': 'ライブラリの取り込み',
  'transfer.exportText':
    'すべてを新しいフォルダーに、ファイルごとのハッシュとともに書き出します。元のライブラリは変わらず、その間もジョブは続きます。',
  'transfer.importText':
    '最初にすべてのファイルを検証します。その後、ここにない画像を評価、タグ、ボードとともに取り込みます。今ある内容は上書きしません。',
  'transfer.exportTo': '新しいフォルダー',
  'transfer.importFrom': '書き出したフォルダー',
  'transfer.exportHint':
    'スタジオが動いているコンピューター上の、新しいフォルダーか空のフォルダーの完全なパスです。',
  'transfer.importHint':
    'スタジオが動いているコンピューター上の、manifest.json があるフォルダーの完全なパスです。',
  'transfer.exportGo': '書き出し',
  'transfer.importGo': '取り込み',
  'transfer.exporting': '画像をコピーしています',
  'transfer.checking': 'すべてのファイルを検証しています…',
  'transfer.importing': '画像を取り込んでいます',
  'transfer.part': '画像 {done} / {total} 枚',
  'transfer.exported': '画像 {count} 枚を {folder} に書き出しました。',
  'transfer.withoutFile':
    'そのうち {count} 枚は完全なファイルがないため、レシピだけを書き出しました。',
  'transfer.imported': '画像 {count} 枚を取り込みました。{known} 枚はすでにありました。',
  'transfer.missingModels':
    'ここにないモデル: {models}。その画像は見られますが、作り直すことはできません。',
  'transfer.exportStopped': '書き出しを中止しました。書きかけのファイルは残っていません。',
  'transfer.importStopped':
    '取り込みを中止しました。取り込んだ画像に問題はありません。残りは同じフォルダーをもう一度取り込んでください。',
};
