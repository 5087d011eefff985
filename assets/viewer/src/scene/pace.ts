/** Frame times while moving, and the quality rung they allow. Starts low; a machine earns its way up. */
export type Rung = "full" | "medium" | "software";
const WINDOW = 20, HOLD_MS = 2000;
/** Shares of the resolution a moving picture may have on the lowest rung, and the frame times (ms) that lead down and up. */
const RATIOS = [0.5, 0.62, 0.75] as const, TOO_SLOW_MS = 48, QUICK_MS = 30;

export class Pace {
  rung: Rung = "software";
  median = 0;
  private readonly times: number[] = [];
  private last = 0; private wasMoving = false; private changedAt = 0; private sharpness = 2;

  tick(time: number, isMoving: boolean): void {
    if (isMoving && this.wasMoving && time > this.last) {
      this.times.push(time - this.last);
      if (this.times.length > WINDOW) this.times.shift();
      this.median = [...this.times].sort((a, b) => a - b)[this.times.length >> 1] ?? 0;
      if (this.times.length === WINDOW && time - this.changedAt > HOLD_MS) this.choose(time);
    }
    this.last = time; this.wasMoving = isMoving;
  }

  private choose(time: number): void {
    const rung: Rung = this.median < 18 ? "full" : this.median < 28 ? "medium" : "software";
    const step = this.median > TOO_SLOW_MS ? -1 : this.median < QUICK_MS ? 1 : 0;
    const sharpness = Math.min(RATIOS.length - 1, Math.max(0, this.sharpness + step));
    if (rung === this.rung && sharpness === this.sharpness) return;
    this.rung = rung;
    this.sharpness = sharpness;
    this.changedAt = time;
    this.times.length = 0;
  }

  /** Share of the resolution drawn while the camera moves. */
  get movingRatio(): number { return this.rung === "software" ? RATIOS[this.sharpness]! : 1; }
}
