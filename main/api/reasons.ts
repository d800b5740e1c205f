// Reasons that a person is told of models, files, and the library. What crosses a boundary is a code
// and its values; the sentences are here, once in English, and the interface translates them.

/** English sentences by message key. `{part}` takes a kind of network, and is put into words. */
export const REASONS = {
  'reason.size-changed': '{file} has {found} bytes instead of {expected}.',
  'reason.content-changed': '{file} was changed: its SHA-256 is not the one in the manifest.',
  'reason.manifest-changed': '{file} was changed: its hash does not fit its networks.',
  'reason.manifest-not-json': '{file} is not JSON, so the model is damaged. Import it again.',
  'reason.manifest-newer':
    '{file} was written by a newer version of RCG Studio. Update RCG Studio to use this model.',
  'reason.manifest-wrong':
    '{file}: the field {field} is wrong, so the model is damaged. Import it again.',
  'reason.folder-renamed':
    'The folder is called {folder}, but its manifest says {id}. Rename the folder back.',
  'reason.model-blocked':
    'The model {model} is blocked: {file} is not as it was imported. Your pictures are safe. Verify the model again in Models, or remove it and import it anew.',
  'reason.model-unreadable': 'The model in {folder} cannot be read. Import it again.',

  'reason.file-missing': '{file} does not exist. Check its name and place.',
  'reason.file-in-file': '{file} does not exist: a part of its path is a file. Check its place.',
  'reason.file-denied': '{file} may not be read or written. Check its permissions.',
  'reason.file-read-only': '{file} is on a disk that cannot be written. Choose another place.',
  'reason.file-is-folder': '{file} is a folder. Choose a file.',
  'reason.file-exists': '{file} already exists. Choose another name.',
  'reason.file-too-many':
    '{file} cannot be opened: too many files are open. Close other programs and try again.',
  'reason.file-name-long': '{file} has too long a name. Choose a shorter one.',
  'reason.file-disk-fault':
    '{file} cannot be read or written: the disk reports an error. Check the disk.',
  'reason.file-busy': '{file} is in use by another program. Close that program and try again.',
  'reason.file-unreadable': '{file} cannot be read. Check it and its disk, and try again.',
  'reason.file-not-plain': '{file} is not a file. Choose a file.',
  'reason.file-shrank':
    '{file} became shorter while it was read. Let whatever writes it finish, then try again.',
  'reason.file-too-large': '{file} has {bytes} bytes; at most {most} are read.',
  'reason.model-undo-gone':
    'The model {model} is not there any more, so this step cannot be taken; it was forgotten, and the others stay.',
  'reason.model-undo-taken':
    'A model {model} is installed already, so this step cannot be taken; it was forgotten, and the others stay.',
  'reason.no-space':
    'The model takes {needed} MB, but only {free} MB are free. Nothing was changed; free some space and try again.',

  // Pages and messages around these say what is safe and what to do.
  'reason.library-disk-full': 'The disk with the library is full.',
  'reason.choose-no-whole-path':
    'Nothing was changed: {folder} is not a whole path; name the folder from its root.',
  'reason.choose-no-parent':
    'Nothing was changed: {folder} is not there; connect its drive, or make that folder first.',
  'reason.choose-to-file': 'Nothing was changed: {folder} is a file; name a folder.',
  'reason.choose-not-empty':
    'Nothing was changed: {folder} holds other things and no library; name a library or an empty folder.',
  'reason.library-none': 'There is no library in {folder}.',
  'reason.notes-too-long':
    'Nothing was written: the note of {count} of the images would be longer than {most} characters. Shorten the text, or leave those images out.',
  'reason.rebuild-original':
    '{file} is a picture from elsewhere and is whole. Its tokens only come near it, so it was left as it is.',
  'reason.record-foreign': '{file} is the database of another program.',
  'reason.record-not-database': '{file} is not a database.',
  'reason.record-lost': '{file} is gone or empty.',
  'reason.record-unsound': 'Parts of {file} are damaged.',

  'reason.move-no-whole-path':
    'The library was not moved: {folder} is not a whole path; name the folder from its root.',
  'reason.move-no-parent':
    'The library was not moved: {folder} is not there; connect its drive, or make that folder first.',
  'reason.move-network':
    'The library was not moved: {folder} is on a network drive ({filesystem}), where its database would not be safe; choose a disk of this computer.',
  'reason.move-same': 'The library was not moved: that is where the library is.',
  'reason.move-inside':
    'The library was not moved: {folder} is inside the library; choose another folder.',
  'reason.move-own-folder':
    'The library was not moved: {folder} is for other things of RCG Studio; choose another folder.',
  'reason.move-to-file': 'The library was not moved: {folder} is a file; name a folder.',
  'reason.move-other-library':
    'The library was not moved: there is a library in {folder} already, which is left alone; choose another folder.',
  'reason.move-not-empty':
    'The library was not moved: {folder} is not empty: it holds {first}; name a new folder in it.',
  'reason.move-no-space':
    'The library needs {needed} MB, and {free} MB are free in {folder}. Nothing was moved; free some space, or choose another disk.',
  'reason.move-not-plain':
    'The library holds {file}, which is neither a file nor a folder. Nothing was moved; put what it leads to in its place, or move the library by hand.',
  'reason.move-read-back':
    '{file} could not be read back as it was written. The library is where it was; check the new disk.',
  'reason.move-gone':
    '{file} went away while the library was moved. The library is where it was; try again.',
  'reason.move-unsound':
    'The copy of the library’s record is not sound ({problem}) and was thrown away. The library is where it was; check both disks.',

  'reason.picture-other':
    '{file} is not a picture that can be read. Give a PNG, JPEG, WebP, GIF, TIFF or AVIF file.',
  'reason.picture-damaged':
    '{file} is damaged, or a picture of an unknown kind. Give a whole file.',
  'reason.picture-too-large':
    '{file} is too large: {width} × {height} pixels. At most {side} on a side and {millions} million in all are read; make it smaller first.',
  'reason.recipe-unreadable':
    'The recipe in {file} is damaged, or was written by a newer version of RCG Studio.',

  'reason.export-gone': 'It is not in the library any more.',
  'reason.export-foreign':
    'It came from elsewhere and its file is missing or damaged, so it cannot be made again as it was.',
  'reason.export-no-model':
    'Its file is missing or damaged, and the model “{model}” that made it is not installed. Import that model, then export again.',
  'reason.export-failed':
    'Its file is missing or damaged, and it could not be made again. Rebuild it, then export again.',

  'reason.transfer-no-whole-path':
    'Nothing was exported: {folder} is not a whole path; name the folder from its root.',
  'reason.transfer-no-parent':
    'Nothing was exported: {folder} is not there; connect its drive, or make that folder first.',
  'reason.transfer-same':
    'Nothing was exported: that is where the library is; choose a new folder.',
  'reason.transfer-inside':
    'Nothing was exported: {folder} is inside the library; choose another folder.',
  'reason.transfer-own-folder':
    'Nothing was exported: {folder} is for other things of RCG Studio; choose another folder.',
  'reason.transfer-to-file': 'Nothing was exported: {folder} is a file; name a folder.',
  'reason.transfer-other-library':
    'Nothing was exported: there is a library in {folder} already, which is left alone; choose another folder.',
  'reason.transfer-not-empty':
    'Nothing was exported: {folder} is not empty: it holds {first}; name a new folder in it.',
  'reason.transfer-no-space':
    'The copy of the library needs {needed} MB, and {free} MB are free in {folder}. Nothing was written; free some space, or choose another disk.',

  'reason.document-damaged':
    '{file} is damaged, cut short or was changed. Nothing of it was used; take another copy.',
  'reason.document-newer':
    '{file} was written by a newer version of RCG Studio. Nothing of it was used; update RCG Studio.',
  'reason.copy-none':
    'Nothing was imported: {folder} is no exported library, or its export was not finished. Choose the folder that holds {file}.',
  'reason.copy-damaged':
    'Nothing was imported: {file} of the exported library is damaged or was changed. Export the library again, or copy the folder again.',
  'reason.copy-missing':
    'Nothing was imported: {file} of the exported library is missing. Export the library again, or copy the folder again.',
  'reason.copy-unsafe':
    'Nothing was imported: {file} of the exported library is a link or no file at all, and RCG Studio does not follow it. Choose another copy.',
  'reason.copy-no-space':
    'The pictures need {needed} MB, and {free} MB are free in {folder}. Nothing was imported; free some space and try again.',

  'reason.checkpoint-empty': '{file} is empty. Download or copy it again.',
  'reason.checkpoint-web-page':
    '{file} is a web page that was saved in place of the file. Download it again.',
  'reason.checkpoint-text': '{file} is a text file, not a checkpoint.',
  'reason.checkpoint-other': '{file} is neither a PyTorch nor a safetensors file.',
  'reason.checkpoint-cut': '{file} ends too early. Download or copy it again.',
  'reason.checkpoint-damaged': '{file} is damaged. Download or copy it again.',
  'reason.checkpoint-limit': '{file} claims to hold more than any model does. It was not read.',
  'reason.checkpoint-unsafe':
    '{file} asks for more than plain weights need. Nothing of it was run. Choose a file that holds tensors only.',
  'reason.checkpoint-unsupported':
    '{file} is stored in a way that is not read here. Save it again with a newer PyTorch.',
  'reason.checkpoint-no-tensors': '{file} is a checkpoint without any weights.',

  'reason.import-no-weights':
    '{file} holds no weights, perhaps only the state of an optimizer. Choose the file with the model.',
  'reason.import-unknown-file':
    '{file} is of no kind that RCG Studio knows. It reads RDM and MAGE checkpoints of RCG, encoders (MoCo v3, DINO, iBOT, DeiT) and the tokenizer of MAGE.',
  'reason.import-unsupported': '{file} is known, but RCG Studio cannot run it.',
  'reason.import-unknown-key':
    '{file} holds “{key}”, which RCG Studio does not know. It may be of another version.',
  'reason.import-duplicate-key': '{file} names the same weights twice: “{key}”.',
  'reason.import-no-ema':
    '{file} holds an RDM without its EMA weights, and only those sample well. Choose a checkpoint that was saved with them.',
  'reason.import-other-schedule':
    '{file} holds an RDM that was trained with another noise schedule than RCG’s; it would be sampled wrongly.',
  'reason.import-wrong-weights': '{file}: the weights do not fit together at “{key}”.',
  'reason.import-not-finite':
    '{file} holds numbers that are not finite at “{key}”: its training went wrong, or it is damaged. Choose another checkpoint.',
  'reason.import-needs-recipe':
    '{file} does not tell everything about its network. Write “{key}” in a recipe file and import with it.',
  'reason.import-needs-mage':
    'A model needs a MAGE checkpoint, which draws the pictures: add it and import again.',
  'reason.import-needs-vqgan':
    'The MAGE file holds no tokenizer, without which no picture can be made. Add the tokenizer file and import again.',
  'reason.import-two-of-a-kind':
    '{file} holds a part that another of these files holds too. Import one model at a time.',
  'reason.import-sizes-differ':
    '{file} is of another size than the rest: these files do not belong together.',
  'reason.import-recipe':
    'The recipe’s field “{key}” is wrong, or is not true of these weights. Correct the recipe and import again.',
  'reason.import-no-checkpoint': 'No checkpoint is named; give the files to import.',
  'reason.import-not-a-recipe': '{file} is not a recipe file.',
  'reason.import-only-one': 'Only one of these can be given: {files}.',
  'reason.import-count': 'Give 1 to {most} checkpoint files, not {count}.',
  'reason.import-attachment': '“{file}” cannot be kept with the model under this name.',
  'reason.import-running': 'Another model is being imported. Wait for it, or cancel it first.',
  'reason.import-installed':
    'A model {id} is installed already. Remove it first to import it anew.',
  'reason.import-id':
    'The id of a model is made of up to 64 small letters, digits, dots and dashes, and begins with a letter or digit.',

  'reason.not-needed': '{file} is not needed: {other} brings its own {part}.',
  'reason.not-needed-other':
    '{file} is not needed: {other} brings its own {part}, which is a different one and was trained with it.',
  'reason.trained-apart':
    '{file} was trained with another {part} than {other}, although of the same size. What the RDM draws may mean nothing to this MAGE.',
  'reason.head-unused':
    'This MAGE was trained without the encoder’s projection head, so {file} is imported without “{key}…”.',
  'reason.no-settings':
    'No settings are known for a MAGE of this size; those of RCG-B are used until you choose others.',

  'reason.without-encoder':
    'Pictures from elsewhere cannot be turned into representations, so none can be brought in as a start.',
  'reason.without-rdm':
    'New representations cannot be drawn: pictures can only start from another picture.',
  'reason.without-mage': 'No pictures can be made.',
  'reason.without-vqgan': 'No pictures can be made or rebuilt.',

  // Sizes in the words of the papers.
  'reason.about-encoder': '{name}, ViT {width} × {depth}, {pixels} px',
  'reason.about-rdm': 'MLP {width} × {depth}, no classes',
  'reason.about-rdm-classes': 'MLP {width} × {depth}, {classes} classes',
  'reason.about-mage': 'ViT {width} × {depth} + {decoderWidth} × {decoderDepth}, {tokens} tokens',
  'reason.about-vqgan': '{channels} channels × ({multipliers}), {codes} codes, {pixels} px',
} as const;

type Unprefixed<Key> = Key extends `reason.${infer Code}` ? Code : never;
/** Stable: interfaces, scripts and tests match on it. */
export type ReasonCode = Unprefixed<keyof typeof REASONS>;

/** A reason: `code` names the sentence, `values` fill it in. */
export interface Reason {
  readonly code: ReasonCode;
  readonly values: Readonly<Record<string, string | number>>;
}

const PARTS: Readonly<Record<string, string>> = {
  encoder: 'encoder',
  rdm: 'RDM',
  mage: 'MAGE',
  vqgan: 'tokenizer',
};

/** A reason as an English sentence, for the command line and for messages of errors. */
export function reasonText({ code, values }: Reason): string {
  return REASONS[`reason.${code}`].replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name];
    if (value === undefined) return place;
    return name === 'part' ? (PARTS[value] ?? String(value)) : String(value);
  });
}

const FILE_CODES: Readonly<Record<string, ReasonCode>> = {
  ENOENT: 'file-missing',
  ENOTDIR: 'file-in-file',
  EACCES: 'file-denied',
  EPERM: 'file-denied',
  EROFS: 'file-read-only',
  EISDIR: 'file-is-folder',
  EEXIST: 'file-exists',
  ENOTEMPTY: 'file-exists',
  EMFILE: 'file-too-many',
  ENFILE: 'file-too-many',
  ENAMETOOLONG: 'file-name-long',
  EIO: 'file-disk-fault',
  EBUSY: 'file-busy',
};

/** What a system error's code means of a file; null for one that is not known. */
export function fileReason(systemCode: string, file: string): Reason | null {
  const code = Object.hasOwn(FILE_CODES, systemCode) ? FILE_CODES[systemCode] : undefined;
  return code === undefined ? null : { code, values: { file } };
}
