import { z } from 'zod';

/** Number of a row of the library: a picture, a job, a board, a search. */
export const rowId = z.int().positive();

/** Pictures that one call is about. */
export const imageIds = z.array(rowId).min(1).max(200_000);
