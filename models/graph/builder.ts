import { elements, requireShape, requireType } from './shapes.ts';
import {
  ELEMENT_BYTES,
  GraphError,
  type Attribute,
  type Dim,
  type ElementType,
  type Graph,
  type Initializer,
  type Model,
  type Node,
  type Value,
} from './types.ts';

/** What a node is to become: its operator, inputs, attributes, and the values it computes. */
export interface NodeRequest {
  readonly op: string;
  readonly domain?: string;
  /** A null is an optional input that is left out. */
  readonly inputs: readonly (Value | null)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Type and shape of each output; a null is an optional output that is not wanted. */
  readonly outputs: readonly ({
    readonly type: ElementType;
    readonly shape: readonly Dim[];
  } | null)[];
}

/**
 * Collects the nodes of one graph. Values and nodes are frozen as they are made; a name is given
 * once; a node can only use what exists already, so the order of nodes is always a valid one.
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #outer: GraphBuilder | null;
  readonly #inputs: Value[] = [];
  readonly #outputs: Value[] = [];
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #known = new Map<string, Value>();
  readonly #opsets: Record<string, number>;
  readonly #counter: { next: number };

  constructor(name: string, opsets: Readonly<Record<string, number>>, outer?: GraphBuilder) {
    this.#name = name;
    this.#opsets = outer ? outer.#opsets : { ...opsets };
    this.#outer = outer ?? null;
    this.#counter = outer ? outer.#counter : { next: 0 };
  }

  /** Declares an input of the graph. */
  input(name: string, type: ElementType, shape: readonly Dim[]): Value {
    const value = this.#declare(name, type, shape);
    this.#inputs.push(value);
    return value;
  }

  /** Makes a value an output of the graph under its own name. */
  output(name: string, value: Value): void {
    this.#mustKnow(value, `output ${name}`);
    const renamed = this.#declare(name, value.type, value.shape);
    this.#nodes.push(
      Object.freeze({
        op: 'Identity',
        domain: '',
        inputs: [value.name],
        outputs: [name],
        attributes: {},
      }),
    );
    this.#outputs.push(renamed);
  }

  /** Adds a weight; it belongs to the outermost graph. The same one again is returned as it is. */
  weight(
    name: string,
    of: { readonly type: ElementType; readonly shape: readonly number[] },
    produce: Initializer['produce'],
  ): Value {
    if (this.#outer) return this.#outer.weight(name, of, produce);
    const existing = this.#initializers.get(name)?.value;
    if (existing) {
      requireType(`the weight ${name}`, [of.type], existing);
      requireShape(`the weight ${name}`, existing, of.shape);
      return existing;
    }
    const value = this.#declare(name, of.type, of.shape);
    const byteLength = elements(of.shape) * ELEMENT_BYTES[of.type];
    this.#initializers.set(name, Object.freeze({ value, byteLength, produce }));
    return value;
  }

  /** Adds a node and returns the values it computes, in order. */
  node(request: NodeRequest): readonly Value[] {
    for (const input of request.inputs) if (input) this.#mustKnow(input, request.op);
    const values = request.outputs.map((output) =>
      output ? this.#declare(this.#fresh(request.op), output.type, output.shape) : null,
    );
    const domain = request.domain ?? '';
    if (!(domain in this.#opsets)) {
      throw new GraphError(`${request.op}: the domain ${domain} is not among the operator sets`);
    }
    this.#nodes.push(
      Object.freeze({
        op: request.op,
        domain,
        inputs: request.inputs.map((input) => input?.name ?? ''),
        outputs: values.map((value) => value?.name ?? ''),
        attributes: Object.freeze({ ...request.attributes }),
      }),
    );
    return values.filter((value) => value !== null);
  }

  /** A builder for a Loop's body: it may use every value of this graph. */
  body(name: string): GraphBuilder {
    return new GraphBuilder(name, {}, this);
  }

  /** The graph as it stands; the builder may not be used afterwards. */
  graph(): Graph {
    if (this.#outputs.length === 0) throw new GraphError(`${this.#name} has no outputs`);
    return Object.freeze({
      name: this.#name,
      inputs: Object.freeze([...this.#inputs]),
      outputs: Object.freeze([...this.#outputs]),
      nodes: Object.freeze([...this.#nodes]),
      initializers: Object.freeze([...this.#initializers.values()]),
    });
  }

  /** The finished model. */
  model(): Model {
    return Object.freeze({ graph: this.graph(), opsets: Object.freeze({ ...this.#opsets }) });
  }

  #fresh(op: string): string {
    this.#counter.next += 1;
    return `${op}_${this.#counter.next}`;
  }

  #declare(name: string, type: ElementType, shape: readonly Dim[]): Value {
    if (this.#find(name)) throw new GraphError(`the name ${name} is taken`);
    const value = Object.freeze({ name, type, shape: Object.freeze([...shape]) });
    this.#known.set(name, value);
    return value;
  }

  /** The value of that name in this graph or one around it. */
  #find(name: string): Value | undefined {
    const own = this.#known.get(name);
    return own ?? (this.#outer ? this.#outer.#find(name) : undefined);
  }

  /** A value of another graph may have the name of one of ours, so the value itself is compared. */
  #mustKnow(value: Value, user: string): void {
    if (this.#find(value.name) !== value) {
      throw new GraphError(`${user} uses ${value.name}, which nothing in ${this.#name} computes`);
    }
  }
}
