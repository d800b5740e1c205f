import type { errors as english } from '../en/errors.ts';
import type { Translation } from '../types.ts';

export const errors: Translation<typeof english> = {
  'error.invalid-request':
    'この値は使えません: {field}。何も開始していません。値を直して再試行してください。',
  'error.model-not-found':
    'このモデルは入っていません。画像は無事です。別のモデルを選ぶか、もう一度取り込んでください。',
  'error.network-missing':
    'モデルに必要な部品がありません。何も開始していません。「モデル」で部品を取り込んでください。',
  'error.bundle-damaged':
    'モデルのファイルが記録と一致しません。画像は無事です。検証するか、取り込み直してください。',
  'error.checkpoint-unreadable':
    '読み取れるチェックポイントではありません。何もコピーしていません。別のファイルを選んでください。',
  'error.picture-unreadable':
    'この画像は読み取れません。何も変更していません。別のファイルを選んでください。',
  'error.not-found': '対象はもうありません。何も変更していません。',
  'error.library-unavailable':
    'ライブラリに書き込めません。何も変更していません。理由は状態欄にあります。',
  'error.file-unavailable':
    'ファイルまたはフォルダーを読み書きできません。失われたものはありません。場所と権限を確認してください。',
  'error.disk-full':
    'ディスクがいっぱいです。完了したトークンは保存済みです。空きを作ってから再開してください。',
  'error.engine-crashed':
    'エンジンが途中で止まりました。保存済みの画像は無事です。再開するか「モデル」を確認してください。',
  'error.out-of-memory':
    'メモリーが足りません。保存済みの画像は無事です。同時処理数を減らして再開してください。',
  'error.studio-crashed':
    'このジョブの実行中に RCG Studio 自体が終了したため、保留にしました。完成した画像は無事です。もう一度試すか、一覧から外してください。',
  'error.cancelled': '中止しました。完了した分は保存済みです。',
  'error.internal':
    'RCG Studio の内部で問題が起きました。保存済みの画像は無事です。報告をコピーして再試行してください。',
  'error.connection': 'スタジオが応答しません。キューはこの画面なしで続きます。再接続しています。',
  'error.code': 'コード {code}',
};
