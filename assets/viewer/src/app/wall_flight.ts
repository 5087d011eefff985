/** The camera of the wall as a function of the shared clock alone: whoever asks for the same instant gets the same pose. */
import type { CameraState } from "../contract";

/** One way of the camera: to a pose, from `since_ms` on by the server's clock, in `flight_ms`. */
export interface Leg { to: CameraState; since_ms: number; flight_ms: number }

/** Starts and ends gently, so that a window that hears of it a moment late does not jump. */
const ease = (s: number): number => s * s * s * (s * (6 * s - 15) + 10);

/** The shorter way round, radians. */
const turned = (from: number, to: number, s: number): number => from + Math.atan2(Math.sin(to - from), Math.cos(to - from)) * s;

function between(a: CameraState, b: CameraState, s: number): CameraState {
  const travel = Math.hypot(b.target[0] - a.target[0], b.target[1] - a.target[1], b.target[2] - a.target[2]);
  const hop = Math.min(1.2, travel / (a.distance + b.distance)) * 0.45 * Math.sin(Math.PI * s); // a long way is flown from higher up
  return {
    target: [0, 1, 2].map((k) => a.target[k]! + (b.target[k]! - a.target[k]!) * s) as CameraState["target"],
    distance: a.distance * (b.distance / a.distance) ** s * (1 + hop), azimuth: turned(a.azimuth, b.azimuth, s), polar: a.polar + (b.polar - a.polar) * s, metresPerPixel: 1,
  };
}

/** Where the camera is at an instant (server ms). A flight that begins while another is under way begins where that one is. */
export function poseAt(legs: Leg[], ms: number, isReduced = false): CameraState | null {
  let pose: CameraState | null = null;
  for (const [k, leg] of legs.entries()) {
    if (ms < leg.since_ms && pose) break;
    // a later leg cuts this one short: it is asked for the instant that one began
    const next = legs[k + 1], until = next ? Math.min(ms, next.since_ms) : ms;
    const share: number = leg.flight_ms > 0 && pose && !isReduced ? Math.min(1, Math.max(0, (until - leg.since_ms) / leg.flight_ms)) : 1;
    pose = pose ? between(pose, leg.to, ease(share)) : leg.to;
  }
  return pose;
}

/** Whether a flight is under way or about to begin. */
export const isFlying = (legs: Leg[], ms: number): boolean => legs.length > 1 && ms < legs[legs.length - 1]!.since_ms + legs[legs.length - 1]!.flight_ms;
