/** Frame times while moving, and the quality rung they allow. Starts low; a machine earns its way up. */
export type Rung = "full" | "medium" | "software";
const WINDOW = 20, HOLD_MS = 2000;

export class Pace {
  rung: Rung = "software";
  median = 0;
  private readonly times: number[] = [];
  private last = 0; private wasMoving = false; private changedAt = 0;

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
    const next: Rung = this.median < 18 ? "full" : this.median < 28 ? "medium" : "software";
    if (next === this.rung) return;
    this.rung = next;
    this.changedAt = time;
    this.times.length = 0;
  }

  /** Share of the resolution drawn while the camera moves. */
  get movingRatio(): number { return this.rung === "software" ? 0.75 : 1; }
}
