import type { ImageDetail, Operation } from '#api/images';

/** Children and parents that are drawn; the rest is a number and a link to a search. */
const SHOWN = 3;

export interface LineageNode {
  readonly id: number;
  /** Column 0 parents, 1 the picture itself, 2 children. */
  readonly column: 0 | 1 | 2;
  /** Place in its column. */
  readonly place: number;
  /** Of the edge that joins it to the picture in the middle. */
  readonly operation: Operation | null;
}

export interface Lineage {
  readonly nodes: readonly LineageNode[];
  readonly moreParents: number;
  readonly moreChildren: number;
}

/** The picture between its parents and its children, as it is drawn from left to right. */
export function lineageOf(
  detail: ImageDetail,
  operationOf: (id: number) => Operation | null,
): Lineage {
  const parents = detail.parents.slice(0, SHOWN);
  const children = detail.childIds.slice(0, SHOWN);
  return {
    nodes: [
      ...parents.map(({ id, operation }, place) => ({ id, column: 0 as const, place, operation })),
      { id: detail.id, column: 1, place: 0, operation: null },
      ...children.map((id, place) => ({
        id,
        column: 2 as const,
        place,
        operation: operationOf(id),
      })),
    ],
    moreParents: detail.parents.length - parents.length,
    moreChildren: detail.childIds.length - children.length,
  };
}

/** The node that an arrow leads to; the same one where there is none that way. */
export function walk({ nodes }: Lineage, from: LineageNode, key: string): LineageNode {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
  if (by !== undefined) {
    const column = nodes.filter((node) => node.column === from.column + by);
    return column[Math.min(from.place, column.length - 1)] ?? from;
  }
  const place = from.place + (key === 'ArrowDown' ? 1 : key === 'ArrowUp' ? -1 : 0);
  return nodes.find((node) => node.column === from.column && node.place === place) ?? from;
}
