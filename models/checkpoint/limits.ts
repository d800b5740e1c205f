/**
 * What a checkpoint file may claim. Every number that a file supplies is compared with one of these
 * before memory is set aside or a loop is run for it.
 */

const MIB = 2 ** 20;

/** Bytes read at a time: enough for full disk speed, and few enough to stay in a core's cache. */
export const CHUNK_BYTES = MIB;

/** Tensors, or zip entries, of one file. The largest released RCG file has 890. */
export const MAX_ENTRIES = 200_000;
/** Length of one zip entry's name. PyTorch's are about 30 characters. */
export const MAX_ENTRY_NAME_BYTES = 1024;
/** The zip directory is held whole; 200,000 entries as PyTorch writes them take about 20 MiB. */
export const MAX_ZIP_DIRECTORY_BYTES = 64 * MIB;
/** A zip comment is at most 65,535 bytes by its 16-bit length field. */
export const MAX_ZIP_COMMENT_BYTES = 0xffff;

/** The object tree is held whole. With 200,000 tensors and optimizer state it stays near 40 MiB. */
export const MAX_PICKLE_BYTES = 64 * MIB;
/** Opcodes of one pickle: about 40 for each tensor. */
export const MAX_PICKLE_STEPS = 12_000_000;
/**
 * Lists, tuples, dictionaries, objects and strings: about eight for each tensor, 150 bytes of memory
 * each. A string counts once more for every 64 bytes.
 */
export const MAX_PICKLE_OBJECTS = 2_000_000;
/** Values waiting on the pickle stack; Python writes dictionaries 1,000 items at a time. */
export const MAX_PICKLE_STACK = 1_000_000;
/** Values remembered for later use. Python remembers nearly everything. */
export const MAX_PICKLE_MEMO = 4_000_000;
/** One string of a pickle. Keys have some 60 characters; recorded command lines some thousands. */
export const MAX_STRING_BYTES = MIB;
/** An integer of a pickle: 256 bytes, far beyond any real one (the legacy magic has 10). */
export const MAX_INTEGER_BYTES = 256;
/** Module and class name of a pickle. */
export const MAX_GLOBAL_NAME_BYTES = 256;
/** The four small pickles before the object tree of a legacy file are read from this much. */
export const PICKLE_WINDOW_BYTES = MIB / 4;

/** The safetensors format itself draws this line (100 MB). */
export const MAX_SAFETENSORS_HEADER_BYTES = 100_000_000;
/** Brackets, braces and commas in that header: about 10 for each tensor. Bounds what parsing makes. */
export const MAX_SAFETENSORS_MARKS = 20 * MAX_ENTRIES;

/** Axes of a tensor. Convolution weights have four. */
export const MAX_AXES = 8;
/** Elements of a tensor, a million million. Every product of sizes stays exact below it. */
export const MAX_ELEMENTS = 2 ** 40;
/**
 * A tensor whose elements are not in order is gathered from the part of its storage between its
 * first and last element. That part may be this much longer than the tensor.
 */
export const MAX_GATHER_WASTE_BYTES = 256 * MIB;
/** A tensor that repeats its elements (stride 0) may unfold to this much beyond what is stored. */
export const MAX_EXPANDED_BYTES = 256 * MIB;
/**
 * All tensors of a file together may take this many times the bytes of the file, and
 * `MAX_EXPANDED_BYTES` more. Real files share storages between a few dictionaries; a million views
 * of one storage would fill the disk.
 */
export const MAX_UNFOLDED_TIMES = 4;
/** A tensor that is read in one piece. The largest of the released files has 64 MiB. */
export const MAX_WHOLE_TENSOR_BYTES = 4096 * MIB;

/** Plain values of the root that are shown, and the length to which one is cut. */
export const MAX_METADATA_VALUES = 1000;
export const MAX_METADATA_TEXT = 4096;
