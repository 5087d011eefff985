/** What the parts of the planner page hand each other. */
import type { Breach, LeftOut, Result, Row } from "./api";
import type { Side } from "./view";

/** A side: `isBusy` while it is worked out (again, where a result of another day still stands). */
export interface Slot { id: string; result: Result | null; isBusy: boolean; step: string; share: number; error: string }
/** A breach with the number it carries in picture and table. */
export interface Mark { number: number; side: Side; row: Row; breach: Breach }
/** A building that could not be put in, told where it would stand. */
export interface Notice { side: Side; file: string; item: LeftOut }
