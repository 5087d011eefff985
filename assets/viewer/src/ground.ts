/** How high a park's ground lies: the page and the 3D view draw on it. */
import type { Park } from "./contract";

/** Heights of the ground, metres; a park built before they were told has its ground at the origin's height. */
export const groundOf = (park: Park): { low: number; middle: number; high: number } => park.ground ?? { low: 0, middle: 0, high: 0 };
