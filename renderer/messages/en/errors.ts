export const errors = {
  'error.invalid-request':
    'This value cannot be used: {field}. Nothing was started. Change it and try again.',
  'error.model-not-found':
    'This model is not installed. Your images are safe. Choose another model or import it again.',
  'error.network-missing':
    'The model lacks a part that this needs. Nothing was started. Import the part in Models.',
  'error.bundle-damaged':
    'The model’s files do not match their record. Your images are safe. Verify it or import it anew.',
  'error.checkpoint-unreadable':
    'This file is not a checkpoint that can be read. Nothing was copied. Pick another file.',
  'error.picture-unreadable':
    'This picture cannot be read. Nothing was changed. Pick another file.',
  'error.not-found': 'This is not there any more. Nothing was changed.',
  'error.library-unavailable':
    'The library cannot be written to. Nothing was changed. The status says why.',
  'error.file-unavailable':
    'A file or folder cannot be read or written. Nothing was lost. Check that it is there and allowed.',
  'error.disk-full':
    'The disk is full. Finished tokens are kept; no file was cut short. Free some space, then resume.',
  'error.engine-crashed':
    'The engine stopped in the middle of the work. Saved images are safe. Resume, or look at Models.',
  'error.out-of-memory':
    'The memory did not suffice. Saved images are safe. Choose a smaller chunk and resume.',
  'error.studio-crashed':
    'RCG Studio itself ended over this job, so it was set aside. Its finished pictures are safe. Try it again, or take it off the list.',
  'error.cancelled': 'Cancelled. What was finished is kept.',
  'error.internal':
    'Something went wrong inside RCG Studio. Saved images are safe. Copy the report and try again.',
  'error.connection':
    'The studio does not answer. The queue goes on without this window. Trying to connect again.',
  'error.code': 'Code {code}',
} as const;
