import type { ImageDetail, ImageRow, Operation } from '#api/images';

/** Children and parents that are drawn; to the rest there are links. */
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
  /** Parents that are not drawn. */
  readonly moreParents: ImageDetail['parents'];
  /** Children that are not drawn and that a search finds. */
  readonly moreChildren: number;
  /** Those that a search finds in the bin alone. */
  readonly moreInBin: number;
}

/** The picture between its parents and its children, as it is drawn from left to right. */
export function lineageOf(
  detail: ImageDetail,
  rowOf: (id: number) => Pick<ImageRow, 'operation' | 'deletedAt'> | undefined,
): Lineage {
  const parents = detail.parents.slice(0, SHOWN);
  const children = detail.childIds.slice(0, SHOWN);
  const inBin = children.filter((id) => (rowOf(id)?.deletedAt ?? null) !== null).length;
  const allInBin = detail.childIds.length - detail.children;
  return {
    nodes: [
      ...parents.map(({ id, operation }, place) => ({ id, column: 0 as const, place, operation })),
      { id: detail.id, column: 1, place: 0, operation: null },
      ...children.map((id, place) => ({
        id,
        column: 2 as const,
        place,
        operation: rowOf(id)?.operation ?? null,
      })),
    ],
    moreParents: detail.parents.slice(SHOWN),
    moreChildren: detail.children - (children.length - inBin),
    moreInBin: allInBin - inBin,
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
