/** Clicks (a press that did not travel) and an unhurried hover. */
export interface PointerActions { click(x: number, y: number, additive: boolean): void; hover(x: number, y: number): void; leave(): void }
const TRAVEL = 5, HOVER_MS = 80;

export class Pointer {
  private down: [number, number] | null = null;
  private timer = 0;

  constructor(private readonly element: HTMLElement, private readonly actions: PointerActions) {
    element.addEventListener("pointerdown", this.onDown);
    element.addEventListener("pointerup", this.onUp);
    element.addEventListener("pointermove", this.onMove);
    element.addEventListener("pointerleave", this.onLeave);
  }

  private at(e: PointerEvent): [number, number] {
    const box = this.element.getBoundingClientRect();
    return [e.clientX - box.left, e.clientY - box.top];
  }

  private readonly onDown = (e: PointerEvent): void => { this.down = e.button === 0 ? this.at(e) : null; clearTimeout(this.timer); };

  private readonly onUp = (e: PointerEvent): void => {
    if (!this.down) return;
    const [x, y] = this.at(e);
    if (Math.hypot(x - this.down[0], y - this.down[1]) < TRAVEL) this.actions.click(x, y, e.ctrlKey || e.metaKey);
    this.down = null;
  };

  private readonly onMove = (e: PointerEvent): void => {
    if (e.buttons) return;
    const [x, y] = this.at(e);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.actions.hover(x, y), HOVER_MS);
  };

  private readonly onLeave = (): void => { clearTimeout(this.timer); this.actions.leave(); };

  dispose(): void {
    clearTimeout(this.timer);
    this.element.removeEventListener("pointerdown", this.onDown);
    this.element.removeEventListener("pointerup", this.onUp);
    this.element.removeEventListener("pointermove", this.onMove);
    this.element.removeEventListener("pointerleave", this.onLeave);
  }
}
