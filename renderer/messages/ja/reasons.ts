import type { REASONS } from '#api/reasons';
import type { Translation } from '../types.ts';

export const reasons: Translation<typeof REASONS> = {
  'reason.size-changed': '{file} は {found} バイトですが、記録では {expected} バイトです。',
  'reason.content-changed': '{file} は変更されています。SHA-256 が記録と一致しません。',
  'reason.manifest-changed': '{file} は変更されています。ハッシュが部品と一致しません。',
  'reason.manifest-not-json':
    '{file} が JSON ではないため、モデルは破損しています。もう一度読み込んでください。',
  'reason.manifest-newer':
    '{file} は新しい版の RCG Studio が書いたものです。RCG Studio を更新してください。',
  'reason.manifest-wrong':
    '{file} の項目 {field} が正しくないため、モデルは破損しています。もう一度読み込んでください。',
  'reason.folder-renamed':
    'フォルダー名は {folder} ですが、記録では {id} です。フォルダー名を元に戻してください。',
  'reason.model-blocked':
    'モデル「{model}」は使用を止めています。{file} が取り込んだときと異なります。画像は安全です。「モデル」でもう一度検証するか、削除して取り込み直してください。',
  'reason.model-unreadable': '{folder} のモデルを読み取れません。もう一度読み込んでください。',

  'reason.file-missing': '{file} がありません。名前と場所を確認してください。',
  'reason.file-in-file': '{file} がありません。パスの途中がファイルです。場所を確認してください。',
  'reason.file-denied': '{file} を読み書きする権限がありません。権限を確認してください。',
  'reason.file-read-only': '{file} のディスクには書き込めません。別の場所を選んでください。',
  'reason.file-is-folder': '{file} はフォルダーです。ファイルを選んでください。',
  'reason.file-exists': '{file} は既にあります。別の名前を選んでください。',
  'reason.file-too-many':
    '開いているファイルが多すぎて {file} を開けません。ほかのプログラムを閉じて再試行してください。',
  'reason.file-name-long': '{file} の名前が長すぎます。短い名前を選んでください。',
  'reason.file-disk-fault':
    'ディスクのエラーで {file} を読み書きできません。ディスクを確認してください。',
  'reason.file-busy':
    '{file} は別のプログラムが使用中です。そのプログラムを閉じて再試行してください。',
  'reason.file-unreadable':
    '{file} を読み取れません。ファイルとディスクを確認して再試行してください。',
  'reason.file-not-plain': '{file} はファイルではありません。ファイルを選んでください。',
  'reason.file-shrank':
    '{file} は読み取り中に短くなりました。書き込みが終わってから再試行してください。',
  'reason.file-too-large': '{file} は {bytes} バイトあります。読み取るのは {most} バイトまでです。',
  'reason.model-undo-gone':
    'モデル {model} はもうないため、この操作は実行できません。この操作だけを履歴から外しました。',
  'reason.model-undo-taken':
    'モデル {model} がすでにあるため、この操作は実行できません。この操作だけを履歴から外しました。',
  'reason.no-space':
    'モデルには {needed} MB 必要ですが、空きは {free} MB です。何も変更していません。空きを作ってから再試行してください。',

  'reason.library-disk-full': 'ライブラリのあるディスクがいっぱいです。',
  'reason.choose-no-whole-path':
    '何も変更していません。{folder} は完全なパスではありません。ルートから指定してください。',
  'reason.choose-no-parent':
    '何も変更していません。{folder} がありません。ドライブを接続するか、先にフォルダーを作成してください。',
  'reason.choose-to-file':
    '何も変更していません。{folder} はファイルです。フォルダーを指定してください。',
  'reason.choose-not-empty':
    '何も変更していません。{folder} にはライブラリ以外のものがあります。ライブラリか空のフォルダーを指定してください。',
  'reason.library-none': '{folder} にライブラリがありません。',
  'reason.notes-too-long':
    '何も書き込みませんでした。画像 {count} 枚のメモが {most} 文字を超えます。文を短くするか、その画像を選択から外してください。',
  'reason.rebuild-original':
    '{file} は外部から読み込んだ画像で、壊れていません。トークンは近似にすぎないため、そのまま残しました。',
  'reason.record-foreign': '{file} は別のプログラムのデータベースです。',
  'reason.record-not-database': '{file} はデータベースではありません。',
  'reason.record-lost': '{file} がないか、空になっています。',
  'reason.record-unsound': '{file} の一部が壊れています。',

  'reason.move-no-whole-path':
    '{folder} は絶対パスではないため、ライブラリは移動していません。ルートからのパスを入力してください。',
  'reason.move-no-parent':
    '{folder} がないため、ライブラリは移動していません。ドライブを接続するか、先にそのフォルダーを作成してください。',
  'reason.move-network':
    'ライブラリは移動していません。{folder} はネットワークドライブ（{filesystem}）上にあり、データベースを安全に置けません。このコンピューターのディスクを選んでください。',
  'reason.move-same': 'ライブラリは既にそのフォルダーにあります。移動していません。',
  'reason.move-inside':
    '{folder} はライブラリの中にあるため、ライブラリは移動していません。別のフォルダーを選んでください。',
  'reason.move-own-folder':
    '{folder} は RCG Studio がほかの用途に使うため、ライブラリは移動していません。別のフォルダーを選んでください。',
  'reason.move-to-file':
    '{folder} はファイルのため、ライブラリは移動していません。フォルダーを指定してください。',
  'reason.move-other-library':
    '{folder} には既に別のライブラリがあるため、ライブラリは移動していません。そのライブラリはそのままです。別のフォルダーを選んでください。',
  'reason.move-not-empty':
    '{folder} は空ではなく {first} があるため、ライブラリは移動していません。その中に新しいフォルダーを指定してください。',
  'reason.move-no-space':
    'ライブラリには {needed} MB 必要ですが、{folder} の空きは {free} MB です。移動していません。空きを作るか、別のディスクを選んでください。',
  'reason.move-not-plain':
    'ライブラリの {file} はファイルでもフォルダーでもありません。移動していません。リンク先の実体に置き換えるか、手動で移動してください。',
  'reason.move-read-back':
    '{file} を書き込んだとおりに読み戻せませんでした。ライブラリは元の場所にあります。移動先のディスクを確認してください。',
  'reason.move-gone':
    '移動中に {file} がなくなりました。ライブラリは元の場所にあります。再試行してください。',
  'reason.move-unsound':
    'ライブラリの記録の写しが正しくないため ({problem})、破棄しました。ライブラリは元の場所にあります。両方のディスクを確認してください。',

  'reason.picture-other':
    '{file} は読み込める画像ではありません。PNG、JPEG、WebP、GIF、TIFF、AVIF のいずれかを選んでください。',
  'reason.picture-damaged':
    '{file} は壊れているか、未対応の形式です。完全なファイルを選んでください。',
  'reason.picture-too-large':
    '{file} は大きすぎます ({width} × {height} ピクセル)。一辺 {side}、合計 {millions} 百万ピクセルまで読み込めます。小さくしてからもう一度お試しください。',
  'reason.recipe-unreadable':
    '{file} のレシピは壊れているか、新しいバージョンの RCG Studio で書かれています。',

  'reason.export-gone': 'すでにライブラリにありません。',
  'reason.export-foreign':
    '外部から取り込んだ画像で、ファイルがないか壊れているため、元のとおりには作り直せません。',
  'reason.export-no-model':
    'ファイルがないか壊れており、生成に使ったモデル「{model}」が入っていません。モデルを読み込んでから、もう一度書き出してください。',
  'reason.export-failed':
    'ファイルがないか壊れており、作り直せませんでした。再構築してから、もう一度書き出してください。',

  'reason.transfer-no-whole-path':
    '書き出されませんでした: {folder} は絶対パスではありません。ルートからのパスを入力してください。',
  'reason.transfer-no-parent':
    '書き出されませんでした: {folder} が見つかりません。ドライブを接続するか、先にそのフォルダーを作成してください。',
  'reason.transfer-same':
    '書き出されませんでした: ライブラリがある場所です。新しいフォルダーを選んでください。',
  'reason.transfer-inside':
    '書き出されませんでした: {folder} はライブラリの中にあります。ほかのフォルダーを選んでください。',
  'reason.transfer-own-folder':
    '書き出されませんでした: {folder} は RCG Studio がほかの用途に使用しています。ほかのフォルダーを選んでください。',
  'reason.transfer-to-file':
    '書き出されませんでした: {folder} はファイルです。フォルダーを指定してください。',
  'reason.transfer-other-library':
    '書き出されませんでした: {folder} にはすでにライブラリがあります。そのライブラリは変更されていません。ほかのフォルダーを選んでください。',
  'reason.transfer-not-empty':
    '書き出されませんでした: {folder} は空ではありません ({first} があります)。その中の新しいフォルダーを指定してください。',
  'reason.transfer-no-space':
    'ライブラリの写しには {needed} MB 必要ですが、{folder} の空きは {free} MB です。何も書き込まれていません。空き容量を増やすか、ほかのディスクを選んでください。',

  'reason.document-damaged':
    '{file} は壊れているか、途中で切れているか、変更されています。内容は使用されていません。別の写しを使ってください。',
  'reason.document-newer':
    '{file} は新しいバージョンの RCG Studio で書かれています。内容は使用されていません。RCG Studio を更新してください。',
  'reason.copy-none':
    '読み込まれませんでした: {folder} は書き出されたライブラリではないか、書き出しが完了していません。{file} のあるフォルダーを選んでください。',
  'reason.copy-damaged':
    '読み込まれませんでした: 書き出されたライブラリの {file} が壊れているか、変更されています。もう一度書き出すか、フォルダーをコピーし直してください。',
  'reason.copy-missing':
    '読み込まれませんでした: 書き出されたライブラリの {file} がありません。もう一度書き出すか、フォルダーをコピーし直してください。',
  'reason.copy-unsafe':
    '読み込まれませんでした: 書き出されたライブラリの {file} はリンクか、ファイルではないものです。RCG Studio はそれをたどりません。別の写しを選んでください。',
  'reason.copy-no-space':
    '画像には {needed} MB 必要ですが、{folder} の空きは {free} MB です。何も読み込まれていません。空き容量を増やしてから再試行してください。',

  'reason.checkpoint-empty': '{file} は空です。ダウンロードまたはコピーをやり直してください。',
  'reason.checkpoint-web-page':
    '{file} はファイルの代わりに保存されたウェブページです。ダウンロードし直してください。',
  'reason.checkpoint-text': '{file} はテキストファイルで、チェックポイントではありません。',
  'reason.checkpoint-other': '{file} は PyTorch でも safetensors でもありません。',
  'reason.checkpoint-cut':
    '{file} は途中で切れています。ダウンロードまたはコピーをやり直してください。',
  'reason.checkpoint-damaged':
    '{file} は破損しています。ダウンロードまたはコピーをやり直してください。',
  'reason.checkpoint-limit':
    '{file} の申告する大きさは、どのモデルよりも大きいため、読み取りませんでした。',
  'reason.checkpoint-unsafe':
    '{file} は重み以外のものを要求しています。何も実行していません。テンソルだけのファイルを選んでください。',
  'reason.checkpoint-unsupported':
    '{file} の保存形式には対応していません。新しい PyTorch で保存し直してください。',
  'reason.checkpoint-no-tensors': '{file} は重みのないチェックポイントです。',

  'reason.import-no-weights':
    '{file} に重みがありません。オプティマイザーの状態だけかもしれません。モデルのファイルを選んでください。',
  'reason.import-unknown-file':
    '{file} は RCG Studio の知らない種類です。読み取れるのは、RCG の RDM と MAGE、エンコーダー (MoCo v3、DINO、iBOT、DeiT)、MAGE のトークナイザーです。',
  'reason.import-unsupported': '{file} の種類は分かりますが、RCG Studio では動かせません。',
  'reason.import-unknown-key':
    '{file} に RCG Studio の知らない「{key}」があります。別の版かもしれません。',
  'reason.import-duplicate-key': '{file} に同じ重みが 2 回あります:「{key}」。',
  'reason.import-no-ema':
    '{file} の RDM に EMA の重みがありません。良い結果には EMA が必要です。EMA 付きのチェックポイントを選んでください。',
  'reason.import-other-schedule':
    '{file} の RDM は RCG と異なるノイズスケジュールで学習されているため、正しくサンプリングできません。',
  'reason.import-wrong-weights': '{file} の重みは「{key}」で整合しません。',
  'reason.import-not-finite':
    '{file} の「{key}」に有限でない数値が含まれています。学習に失敗しているか、ファイルが壊れています。別のチェックポイントを選んでください。',
  'reason.import-needs-recipe':
    '{file} だけでは分からない値があります。レシピファイルに「{key}」を書き、それを添えて読み込んでください。',
  'reason.import-needs-mage':
    'モデルには画像を描く MAGE のチェックポイントが必要です。追加してもう一度読み込んでください。',
  'reason.import-needs-vqgan':
    'MAGE のファイルにトークナイザーがないため、画像を生成できません。トークナイザーのファイルを追加してください。',
  'reason.import-two-of-a-kind':
    '{file} の部品は、ほかのファイルにもあります。モデルは一度に 1 つずつ読み込んでください。',
  'reason.import-sizes-differ':
    '{file} はほかと大きさが異なります。これらのファイルは同じモデルのものではありません。',
  'reason.import-recipe':
    'レシピの項目「{key}」が正しくないか、この重みと一致しません。レシピを直して再試行してください。',
  'reason.import-no-checkpoint':
    'チェックポイントがありません。読み込むファイルを指定してください。',
  'reason.import-not-a-recipe': '{file} はレシピではありません。',
  'reason.import-only-one': '指定できるのはこのうち 1 つだけです: {files}。',
  'reason.import-count': 'チェックポイントは 1 ~ {most} 件指定してください ({count} 件あります)。',
  'reason.import-attachment': '「{file}」はこの名前ではモデルと一緒に保存できません。',
  'reason.import-running': '別のモデルを読み込み中です。終わるまで待つか、先に中止してください。',
  'reason.import-installed':
    'モデル {id} は既に入っています。読み込み直すには、先に削除してください。',
  'reason.import-id':
    'モデルの ID には英小文字、数字、点、ハイフンを 64 文字まで使えます。先頭は英小文字か数字です。',

  'reason.not-needed': '{file} は不要です。{other} に{part}が入っています。',
  'reason.not-needed-other':
    '{file} は不要です。{other} には、一緒に学習した別の{part}が入っています。',
  'reason.trained-apart':
    '{file} の学習に使われた{part}は {other} のものと異なります (大きさは同じ)。RDM の結果がこの MAGE に合わないことがあります。',
  'reason.head-unused':
    'この MAGE はエンコーダーの射影ヘッドなしで学習されたため、{file} の「{key}…」は読み込みません。',
  'reason.no-settings':
    'この大きさの MAGE の推奨設定はありません。設定を選ぶまでは RCG-B の値を使います。',

  'reason.without-encoder': '外部の画像を出発点として取り込めません。',
  'reason.without-rdm': '画像からのみ生成でき、ランダムには始められません。',
  'reason.without-mage': '画像を生成できません。',
  'reason.without-vqgan': '画像の生成も再構築もできません。',

  'reason.about-encoder': '{name}、ViT {width} × {depth}、入力 {pixels} px',
  'reason.about-rdm': 'MLP {width} × {depth}、クラスなし',
  'reason.about-rdm-classes': 'MLP {width} × {depth}、{classes} クラス',
  'reason.about-mage': 'ViT {width} × {depth} + {decoderWidth} × {decoderDepth}、{tokens} トークン',
  'reason.about-vqgan': '{channels} チャンネル × ({multipliers})、{codes} コード、{pixels} px',
};
