/** The server's clock as this browser knows it: by asking, the quickest answers count most. */
const KEPT = 8, FAR_MS = 1000;

/** This machine's clock, milliseconds; no change of its date or time moves it. */
export const hereNow = (): number => performance.timeOrigin + performance.now();

/** Estimates server − here. An answer that took `trip` ms is wrong by half of that at most. */
export class SharedClock {
  private answers: { offset: number; trip: number }[] = [];
  /** Server minus here, ms. */
  offset = 0;
  /** How far the offset may be off, ms. */
  error = Infinity;

  /** What the server said it was when it answered; `asked` and `heard` by this machine. A greeting that was not asked for took an unknown time. */
  hear(server: number, heard: number, asked = Number.NaN): void {
    if (Number.isNaN(asked)) {
      this.answers = []; // another server, or the same one after a while: what was known of its clock is old
      if (Math.abs(server - heard - this.offset) > FAR_MS) this.offset = server - heard;
      return;
    }
    const trip = Math.max(0, heard - asked);
    this.answers = [...this.answers.slice(1 - KEPT), { offset: server + trip / 2 - heard, trip }];
    const best = this.answers.reduce((a, b) => (b.trip <= a.trip ? b : a));
    this.offset = best.offset;
    this.error = best.trip / 2;
  }

  now(): number { return hereNow() + this.offset; }
}
