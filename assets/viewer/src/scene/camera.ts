/** The camera: orbit, pan, zoom with damping, keys, and flights of its own that a hand always interrupts. */
import { Matrix4, PerspectiveCamera, Plane, Raycaster, Vector2, Vector3 } from "three";
import type { CameraState } from "../contract";

export interface Pose { target: Vector3; distance: number; azimuth: number; polar: number }
const FLIGHT_MS = 600;
const LOWEST = 0.12, HIGHEST = Math.PI / 2 - 0.03;

/** The shorter way round from angle a to b. */
function turn(a: number, b: number): number {
  return Math.atan2(Math.sin(b - a), Math.cos(b - a));
}

export class OrbitCamera {
  readonly camera = new PerspectiveCamera(27.5, 16 / 9, 1, 6000);
  readonly now: Pose = { target: new Vector3(), distance: 500, azimuth: 0.6, polar: 1.05 };
  private readonly goal: Pose = { target: new Vector3(), distance: 500, azimuth: 0.6, polar: 1.05 };
  private flight: { from: Pose; to: Pose; since: number; ms: number } | null = null;
  private readonly pointers = new Map<number, Vector2>();
  private readonly ray = new Raycaster();
  private isPanning = false;
  private spread = 0;
  private readonly held = new Set<string>();
  private lastStep = 0;
  /** the pose of the last step, so that a pose set from outside counts as movement too */
  private seen = "";
  /** Metres; the target stays inside. */
  limits = { low: new Vector3(-5e3, -5e3, -200), high: new Vector3(5e3, 5e3, 500), nearest: 6, farthest: 4000 };
  /** Where to be, from elsewhere: while set, no hand and no flight moves the camera. */
  guide: (() => { pose: Pose; isMoving: boolean }) | null = null;
  /** Set while a tool takes the pointer. */
  isLocked = false;
  /** A map is panned with the left button and turned with the right one. */
  isMap = false;

  constructor(private readonly element: HTMLElement, private readonly wake: () => void) {
    this.camera.up.set(0, 0, 1);
    element.tabIndex = 0;
    element.style.touchAction = "none";
    element.addEventListener("pointerdown", this.onDown);
    element.addEventListener("pointermove", this.onMove);
    element.addEventListener("pointerup", this.onUp);
    element.addEventListener("pointercancel", this.onUp);
    element.addEventListener("wheel", this.onWheel, { passive: false });
    element.addEventListener("contextmenu", (e) => e.preventDefault());
    element.addEventListener("keydown", this.onKey);
    element.addEventListener("keyup", (e) => this.held.delete(e.key.toLowerCase()));
    element.addEventListener("blur", () => this.held.clear());
  }

  get isReduced(): boolean { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

  flyTo(to: Pose, isImmediate = false): void {
    const goal = { target: to.target.clone(), distance: to.distance, polar: to.polar, azimuth: this.now.azimuth + turn(this.now.azimuth, to.azimuth) };
    Object.assign(this.goal, { distance: goal.distance, azimuth: goal.azimuth, polar: goal.polar });
    this.goal.target.copy(goal.target);
    if (isImmediate || this.isReduced) {
      this.flight = null;
      this.copy(this.goal, this.now);
    } else {
      this.flight = { from: { ...this.now, target: this.now.target.clone() }, to: goal, since: performance.now(), ms: FLIGHT_MS };
    }
    this.wake();
  }

  /** Advances to `time`; answers whether the camera moved. */
  step(time: number): boolean {
    const secs = Math.min(0.1, (time - this.lastStep) / 1000 || 0.016);
    this.lastStep = time;
    if (this.held.size) this.stepKeys(secs);
    const guided = this.guide?.();
    if (guided) {
      this.flight = null;
      this.copy(guided.pose, this.goal);
      this.copy(guided.pose, this.now);
    } else if (this.flight) {
      const share = Math.min(1, (time - this.flight.since) / this.flight.ms);
      const ease = 1 - (1 - share) ** 3;
      const { from, to } = this.flight;
      this.now.target.lerpVectors(from.target, to.target, ease);
      this.now.distance = from.distance * (to.distance / from.distance) ** ease;
      this.now.azimuth = from.azimuth + (to.azimuth - from.azimuth) * ease;
      this.now.polar = from.polar + (to.polar - from.polar) * ease;
      if (share >= 1) this.flight = null;
    } else {
      const k = 1 - Math.exp(-secs * 18);
      const gap = Math.abs(this.goal.azimuth - this.now.azimuth) + Math.abs(this.goal.polar - this.now.polar)
        + this.goal.target.distanceTo(this.now.target) / this.now.distance + Math.abs(Math.log(this.goal.distance / this.now.distance));
      if (gap < 4e-4 || this.isReduced) this.copy(this.goal, this.now);
      else {
        this.now.target.lerp(this.goal.target, k);
        this.now.distance += (this.goal.distance - this.now.distance) * k;
        this.now.azimuth += (this.goal.azimuth - this.now.azimuth) * k;
        this.now.polar += (this.goal.polar - this.now.polar) * k;
      }
    }
    this.place();
    const before = this.seen;
    this.seen = this.signature();
    return this.seen !== before || this.flight !== null || !!guided?.isMoving || this.held.size > 0;
  }

  place(): void {
    const { target, distance, azimuth, polar } = this.now;
    const flat = Math.sin(polar) * distance;
    this.camera.position.set(target.x + Math.sin(azimuth) * flat, target.y - Math.cos(azimuth) * flat, target.z + Math.cos(polar) * distance);
    this.camera.near = Math.max(0.5, distance * 0.04);
    this.camera.far = Math.max(3000, distance * 6);
    this.camera.lookAt(target);
    this.camera.updateMatrixWorld();
    this.camera.updateProjectionMatrix();
  }

  state(heightPixels: number): CameraState {
    const { target, distance, azimuth, polar } = this.goal;
    const metres = 2 * Math.tan((this.camera.fov * Math.PI) / 360) * this.now.distance / Math.max(1, heightPixels);
    return { target: [target.x, target.y, target.z], distance, azimuth, polar, metresPerPixel: metres };
  }

  setState(state: CameraState): void {
    this.goal.target.fromArray(state.target);
    this.goal.distance = state.distance; this.goal.azimuth = state.azimuth; this.goal.polar = state.polar;
    this.flight = null;
    this.copy(this.goal, this.now);
    this.wake();
  }

  north(): void { this.flyTo({ ...this.goal, azimuth: 0 }); }

  /** The point of a horizontal plane under a pixel (css pixels of the element), park frame. */
  pointAt(x: number, y: number, z: number): Vector3 | null {
    const { clientWidth, clientHeight } = this.element;
    this.ray.setFromCamera(new Vector2((x / clientWidth) * 2 - 1, 1 - (y / clientHeight) * 2), this.camera);
    return this.ray.ray.intersectPlane(new Plane(new Vector3(0, 0, 1), -z), new Vector3());
  }

  dispose(): void {
    this.element.removeEventListener("wheel", this.onWheel);
    this.element.removeEventListener("keydown", this.onKey);
  }

  private copy(from: Pose, to: Pose): void {
    to.target.copy(from.target); to.distance = from.distance; to.azimuth = from.azimuth; to.polar = from.polar;
  }

  private signature(): string {
    const { target, distance, azimuth, polar } = this.now;
    return `${target.x.toFixed(3)},${target.y.toFixed(3)},${target.z.toFixed(3)},${distance.toFixed(3)},${azimuth.toFixed(5)},${polar.toFixed(5)}`;
  }

  /** A hand has taken over: whatever flight there was stops where it is. */
  private takeOver(): void {
    if (this.flight) { this.flight = null; this.copy(this.now, this.goal); }
    this.wake();
  }

  private clamp(): void {
    this.goal.polar = Math.min(HIGHEST, Math.max(LOWEST, this.goal.polar));
    this.goal.distance = Math.min(this.limits.farthest, Math.max(this.limits.nearest, this.goal.distance));
    this.goal.target.clamp(this.limits.low, this.limits.high);
  }

  private pan(dx: number, dy: number): void {
    const metres = 2 * Math.tan((this.camera.fov * Math.PI) / 360) * this.goal.distance / Math.max(1, this.element.clientHeight);
    const sin = Math.sin(this.goal.azimuth), cos = Math.cos(this.goal.azimuth), tilt = 1 / Math.max(0.35, Math.cos(this.goal.polar));
    this.goal.target.x += (-dx * cos - dy * tilt * sin) * metres;
    this.goal.target.y += (-dx * sin + dy * tilt * cos) * metres;
    this.clamp();
  }

  private readonly onDown = (e: PointerEvent): void => {
    this.element.focus({ preventScroll: true });
    if (this.isLocked) return;
    this.pointers.set(e.pointerId, new Vector2(e.clientX, e.clientY));
    this.isPanning = (e.button === 2 || e.button === 1 || e.shiftKey) !== this.isMap;
    this.spread = 0;
    this.element.setPointerCapture?.(e.pointerId);
    this.takeOver();
  };

  private readonly onMove = (e: PointerEvent): void => {
    const last = this.pointers.get(e.pointerId);
    if (!last) return;
    const dx = e.clientX - last.x, dy = e.clientY - last.y;
    last.set(e.clientX, e.clientY);
    if (this.pointers.size === 2) {
      const [a, b] = [...this.pointers.values()] as [Vector2, Vector2];
      const spread = a.distanceTo(b);
      if (this.spread) this.goal.distance *= this.spread / spread;
      this.spread = spread;
      this.pan(dx / 2, dy / 2);
    } else if (this.isPanning) this.pan(dx, dy);
    else {
      this.goal.azimuth -= (dx / this.element.clientHeight) * 3.2;
      this.goal.polar -= (dy / this.element.clientHeight) * 2.4;
    }
    this.clamp();
    this.wake();
  };

  private readonly onUp = (e: PointerEvent): void => { this.pointers.delete(e.pointerId); this.spread = 0; };

  private readonly onWheel = (e: WheelEvent): void => {
    e.preventDefault();
    this.takeOver();
    const factor = Math.exp(Math.max(-240, Math.min(240, e.deltaY * (e.deltaMode ? 30 : 1))) * 0.0016);
    const box = this.element.getBoundingClientRect();
    const point = this.pointAt(e.clientX - box.left, e.clientY - box.top, this.goal.target.z);
    const before = this.goal.distance;
    this.goal.distance *= factor;
    this.clamp();
    if (point && point.distanceTo(this.goal.target) < before * 2) this.goal.target.lerp(point, 1 - this.goal.distance / before);
    this.clamp();
    this.wake();
  };

  private readonly onKey = (e: KeyboardEvent): void => {
    const key = e.key.toLowerCase();
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (!/^(arrow(left|right|up|down)|[+\-=]|page(up|down)|home)$/.test(key)) return;
    e.preventDefault();
    if (key === "home") return;
    this.held.add(e.shiftKey ? `shift+${key}` : key);
    this.held.forEach((k) => { if (k.endsWith(key) && k !== (e.shiftKey ? `shift+${key}` : key)) this.held.delete(k); });
    this.element.addEventListener("keyup", () => this.held.clear(), { once: true });
    this.takeOver();
  };

  /** Arrows pan, Shift+arrows orbit, + and − zoom. */
  private stepKeys(secs: number): void {
    const pan = 520 * secs, turnBy = 1.1 * secs;
    for (const key of this.held) {
      if (key === "arrowleft") this.pan(pan, 0);
      if (key === "arrowright") this.pan(-pan, 0);
      if (key === "arrowup") this.pan(0, pan);
      if (key === "arrowdown") this.pan(0, -pan);
      if (key === "shift+arrowleft") this.goal.azimuth -= turnBy;
      if (key === "shift+arrowright") this.goal.azimuth += turnBy;
      if (key === "shift+arrowup") this.goal.polar -= turnBy;
      if (key === "shift+arrowdown") this.goal.polar += turnBy;
      if (key === "+" || key === "=" || key === "pageup" || key === "shift++") this.goal.distance *= Math.exp(-1.6 * secs);
      if (key === "-" || key === "pagedown") this.goal.distance *= Math.exp(1.6 * secs);
    }
    this.clamp();
  }
}

/** Turns screen corners back into rays: inverse of projection × view rotation. */
export function raysOf(camera: PerspectiveCamera, into: Matrix4): Matrix4 {
  const rotation = new Matrix4().extractRotation(camera.matrixWorld);
  return into.copy(rotation).multiply(camera.projectionMatrixInverse);
}
