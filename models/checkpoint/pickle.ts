import { printable, type CheckpointError, type Where } from './errors.ts';
import {
  MAX_PICKLE_MEMO,
  MAX_PICKLE_OBJECTS,
  MAX_PICKLE_STACK,
  MAX_PICKLE_STEPS,
} from './limits.ts';
import { PickleBytes } from './pickle-bytes.ts';
import { findGlobal } from './pickle-globals.ts';
import { OP } from './pickle-opcodes.ts';
import { hasKind, type PickleList, type PickleValue, type StorageRef } from './pickle-values.ts';

/** A pickle that has been read. */
export interface Pickle {
  readonly value: PickleValue;
  /** Bytes that it took. */
  readonly length: number;
  /** Every mention of a storage, in order. */
  readonly storages: readonly StorageRef[];
}

/**
 * Reads one pickle (protocols 2 to 5, as torch.save writes them) from the start of `bytes`.
 * Nothing is called: names outside a short list are refused, the others give plain data.
 * @param where what messages call it: file and record.
 * @throws PickleEnd when the bytes end first.
 * @throws CheckpointError for everything else.
 */
export function readPickle(bytes: Uint8Array, where: Where): Pickle {
  return new Machine(new PickleBytes(bytes, where)).run();
}

const HIGHEST_PROTOCOL = 5;

/** The stack machine that a pickle is a program for. */
class Machine {
  readonly #in: PickleBytes;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #storages: StorageRef[] = [];
  #objects = 0;

  constructor(bytes: PickleBytes) {
    this.#in = bytes;
  }

  run(): Pickle {
    for (let step = 0; step < MAX_PICKLE_STEPS; step++) {
      const op = this.#in.uint(1);
      if (op === OP.STOP) {
        return { value: this.#pop(), length: this.#in.at, storages: this.#storages };
      }
      this.#step(op);
      if (this.#stack.length > MAX_PICKLE_STACK) throw this.#in.limit('stack', MAX_PICKLE_STACK);
      if (this.#marks.length > MAX_PICKLE_STACK) throw this.#in.limit('marks', MAX_PICKLE_STACK);
      if (this.#memo.size > MAX_PICKLE_MEMO) throw this.#in.limit('memo', MAX_PICKLE_MEMO);
    }
    throw this.#in.limit('opcodes', MAX_PICKLE_STEPS);
  }

  #step(op: number): void {
    switch (op) {
      case OP.PROTO: {
        const protocol = this.#in.uint(1);
        if (protocol > HIGHEST_PROTOCOL) throw this.#in.damaged(`protocol ${protocol} is unknown`);
        return;
      }
      case OP.FRAME:
        this.#in.length8();
        return;

      case OP.NONE:
        return this.#push(null);
      case OP.NEWTRUE:
        return this.#push(true);
      case OP.NEWFALSE:
        return this.#push(false);
      case OP.BININT:
        return this.#push(this.#in.int());
      case OP.BININT1:
        return this.#push(this.#in.uint(1));
      case OP.BININT2:
        return this.#push(this.#in.uint(2));
      case OP.LONG1:
        return this.#push(this.#in.integer(this.#in.uint(1)));
      case OP.LONG4:
        return this.#push(this.#in.integer(this.#in.uint(4)));
      case OP.BINFLOAT:
        return this.#push(this.#in.float());

      case OP.BINUNICODE:
        return this.#pushString(this.#in.text(this.#in.uint(4)));
      case OP.SHORT_BINUNICODE:
        return this.#pushString(this.#in.text(this.#in.uint(1)));
      case OP.BINUNICODE8:
        return this.#pushString(this.#in.text(this.#in.length8()));
      case OP.BINSTRING:
        return this.#pushString(this.#in.python2Text(this.#in.uint(4)));
      case OP.SHORT_BINSTRING:
        return this.#pushString(this.#in.python2Text(this.#in.uint(1)));
      case OP.BINBYTES:
        return this.#pushString(this.#in.copy(this.#in.uint(4)));
      case OP.SHORT_BINBYTES:
        return this.#pushString(this.#in.copy(this.#in.uint(1)));
      case OP.BINBYTES8:
      case OP.BYTEARRAY8:
        return this.#pushString(this.#in.copy(this.#in.length8()));

      case OP.EMPTY_TUPLE:
      case OP.EMPTY_LIST:
      case OP.EMPTY_SET:
        return this.#pushNew([]);
      case OP.TUPLE1:
        return this.#pushNew(this.#popMany(1));
      case OP.TUPLE2:
        return this.#pushNew(this.#popMany(2));
      case OP.TUPLE3:
        return this.#pushNew(this.#popMany(3));
      case OP.TUPLE:
      case OP.LIST:
      case OP.FROZENSET:
        return this.#pushNew(this.#popToMark());
      case OP.APPEND:
        return this.#append(this.#popMany(1));
      case OP.APPENDS:
      case OP.ADDITEMS:
        return this.#append(this.#popToMark());

      case OP.EMPTY_DICT:
        return this.#pushNew(new Map());
      case OP.DICT: {
        const items = this.#popToMark();
        this.#pushNew(new Map());
        return this.#setItems(items);
      }
      case OP.SETITEM:
        return this.#setItems(this.#popMany(2));
      case OP.SETITEMS:
        return this.#setItems(this.#popToMark());

      case OP.GLOBAL:
        return this.#pushGlobal(this.#in.line(), this.#in.line());
      case OP.STACK_GLOBAL: {
        const [module, name] = this.#popMany(2);
        return this.#pushGlobal(module, name);
      }
      case OP.NEWOBJ_EX:
        // Keyword arguments: only opaque objects have them.
        this.#pop();
        return this.#apply();
      case OP.NEWOBJ:
      case OP.REDUCE:
        return this.#apply();
      case OP.BUILD:
        // Attributes of an object. Nothing that is kept here has any of interest.
        this.#pop();
        this.#top();
        return;
      case OP.BINPERSID:
        return this.#pushStorage(this.#storage(this.#pop()));

      case OP.MARK:
        this.#marks.push(this.#stack.length);
        return;
      case OP.POP:
        if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
        else this.#pop();
        return;
      case OP.POP_MARK:
        this.#popToMark();
        return;
      case OP.DUP:
        return this.#push(this.#top());
      case OP.BINPUT:
        this.#memo.set(this.#in.uint(1), this.#top());
        return;
      case OP.LONG_BINPUT:
        this.#memo.set(this.#in.uint(4), this.#top());
        return;
      case OP.MEMOIZE:
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case OP.BINGET:
        return this.#recall(this.#in.uint(1));
      case OP.LONG_BINGET:
        return this.#recall(this.#in.uint(4));
      default:
        throw this.#in.error(
          'pickle-unknown-opcode',
          `the pickle has the opcode 0x${op.toString(16)} at byte ${this.#in.at - 1}, which torch.save does not write`,
        );
    }
  }

  // The stack

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  /** Pushes something that takes memory of its own. */
  #pushNew(value: PickleValue, cost = 1): void {
    this.#objects += cost;
    if (this.#objects > MAX_PICKLE_OBJECTS) throw this.#in.limit('objects', MAX_PICKLE_OBJECTS);
    this.#stack.push(value);
  }

  /** A string; bytes take memory for an array of their own too. */
  #pushString(value: string | Uint8Array): void {
    this.#pushNew(value, (typeof value === 'string' ? 1 : 3) + (value.length >> 6));
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): PickleList {
    const floor = this.#marks.at(-1) ?? 0;
    if (this.#stack.length - count < floor) throw this.#in.damaged('its stack runs empty');
    return this.#stack.splice(-count, count);
  }

  #popToMark(): PickleList {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#in.damaged('a mark is missing');
    return this.#stack.splice(mark);
  }

  #top(): PickleValue {
    const floor = this.#marks.at(-1) ?? 0;
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length <= floor) {
      throw this.#in.damaged('its stack runs empty');
    }
    return value;
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) {
      throw this.#in.damaged(`it recalls entry ${index}, which it never stored`);
    }
    this.#push(value);
  }

  // Building

  #append(items: PickleList): void {
    const target = this.#top();
    if (hasKind(target, 'object')) return;
    if (!Array.isArray(target)) throw this.#in.damaged('it appends to something that is no list');
    for (const item of items) target.push(item);
  }

  #setItems(items: PickleList): void {
    const target = this.#top();
    if (items.length % 2 !== 0) throw this.#in.damaged('a dictionary has a key without a value');
    if (hasKind(target, 'object')) return;
    if (!(target instanceof Map)) {
      throw this.#in.damaged('it sets items of something without items');
    }
    for (let i = 0; i < items.length; i += 2) target.set(items[i] ?? null, items[i + 1] ?? null);
  }

  #pushGlobal(module: PickleValue | undefined, name: PickleValue | undefined): void {
    if (typeof module !== 'string' || typeof name !== 'string') {
      throw this.#in.damaged('a name is not text');
    }
    const global = findGlobal(`${module}.${name}`);
    if (!global) {
      const why =
        `the file asks for "${printable(`${module}.${name}`)}", which plain weights do not need. ` +
        'Nothing was run. Use a file that holds tensors only (a state_dict)';
      throw this.#in.error('pickle-forbidden-global', why);
    }
    this.#push(global);
  }

  /** REDUCE: a callable and a tuple of its arguments give an object. */
  #apply(): void {
    const [callable, args] = this.#popMany(2);
    if (!hasKind(callable, 'global')) {
      throw this.#in.damaged('it applies something that is no name');
    }
    if (!Array.isArray(args)) throw this.#in.damaged(`${callable.name} has no arguments`);
    const refuse = (why: string): CheckpointError => this.#in.damaged(why);
    const made = callable.build?.(args, refuse) ?? { kind: 'object', name: callable.name };
    this.#pushNew(made, 1 + args.reduce<number>((sum, arg) => sum + copyCost(arg), 0));
  }

  #pushStorage(storage: StorageRef): void {
    this.#storages.push(storage);
    this.#pushNew(storage);
  }

  /** ('storage', type, key, location, elements[, None or (key, offset, elements)]), spec 1.1. */
  #storage(id: PickleValue): StorageRef {
    const [tag, type, key, , elements, part] = Array.isArray(id) ? id : [];
    if (tag !== 'storage' || !hasKind(type, 'global') || type.storage === undefined) {
      throw this.#in.damaged('it refers to something outside that is no storage');
    }
    if (typeof key !== 'string' || !isCount(elements)) {
      throw this.#in.damaged('a storage has no key or no length');
    }
    const whole = {
      kind: 'storage',
      type: type.storage,
      typeName: type.name,
      key,
      elements,
    } as const;
    if (part === undefined || part === null) return { ...whole, part: undefined };
    const [, offset, count] = Array.isArray(part) ? part : [];
    if (!isCount(offset) || !isCount(count)) {
      throw this.#in.damaged('a part of a storage has no place');
    }
    return { ...whole, part: { offset, elements: count } };
  }
}

/**
 * What it may take to copy an argument, counted in objects. Without this a short pickle could have a
 * long list copied a million times.
 */
function copyCost(value: PickleValue): number {
  if (Array.isArray(value)) return value.length >> 4;
  if (value instanceof Map) return value.size >> 4;
  return typeof value === 'string' ? value.length >> 6 : 0;
}

function isCount(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
