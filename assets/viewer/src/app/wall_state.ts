/** The wall as the server keeps it, and the hands an operator has on it. */
import { signal } from "@preact/signals";
import type { WallStop, WallView } from "../wire";
import { call } from "./api";

export const wall = signal<WallView | null>(null);

/** Takes a message of the socket; false for those of others. */
export function heardWall(message: { t: string }): boolean {
  if (message.t !== "wall") return false;
  wall.value = message as unknown as WallView;
  return true;
}
const take = async (asked: Promise<WallView>): Promise<void> => { wall.value = await asked; };
export const wallApi = {
  drive: (verb: string, what: { node?: string; alarm?: number } = {}) => take(call<WallView>("POST", "/wall/drive", { verb, ...what })),
  tour: (stops: WallStop[]) => take(call<WallView>("PUT", "/wall/tour", { stops })),
};
