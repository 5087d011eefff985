/** Our own line icons, 24-unit grid; `PriorityMark` is colour and shape and figure. */
import type { JSX } from "preact";
import { say } from "../words";

const PATHS: Record<string, string> = {
  overview: "M3 3h8v10H3zM13 3h8v6h-8zM13 11h8v10h-8zM3 15h8v6H3z", security: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z", energy: "M13 2L5 14h6l-1 8 8-12h-6z",
  facilities: "M3 21V10l6 4v-4l6 4V4h6v17zM7 17h2M12 17h2M17 17h2", environment: "M20 4C9 4 4 9 4 15c0 3 2 5 5 5 7 0 11-6 11-16zM4 21c3-6 7-9 11-11",
  access: "M6 21V3h10v18M4 21h16M13 12h.5", emergency: "M12 3L2 20h20zM12 10v4M12 17v.5", search: "M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L21 21",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z", north: "M12 3l5 17-5-4-5 4z", ruler: "M4 16L16 4l4 4L8 20zM9 11l2 2M12 8l2 2", xray: "M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8",
  section: "M5 20V9l7-4 7 4v11zM2 13h20",
  layers: "M12 4l9 5-9 5-9-5zM3 14l9 5 9-5", camera: "M3 7h12v10H3zM15 11l6-3v8l-6-3", full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5", pin: "M12 21c5-6 7-9 7-12a7 7 0 10-14 0c0 3 2 6 7 12zM12 7a2 2 0 100 4 2 2 0 000-4z",
  check: "M5 13l4 4L19 7", close: "M6 6l12 12M18 6L6 18", send: "M3 11l18-8-7 18-3-7z", clock: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 7v5l4 2", sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2",
  moon: "M20 14A8 8 0 1110 4a7 7 0 0010 10z", down: "M6 9l6 6 6-6", shot: "M4 8h4l2-3h4l2 3h4v11H4zM12 10a4 4 0 100 8 4 4 0 000-8z", logo: "M12 2l9 5v10l-9 5-9-5V7zM12 2v10M3 7l9 5 9-5",
  console: "M3 5h18v12H3zM8 21h8M12 17v4", live: "M2 12h4l3-7 5 14 3-7h5", out: "M14 4h6v16h-6M3 12h11M10 8l4 4-4 4", pipes: "M3 8h9v8h9M3 5v6M21 13v6", person: "M12 4a3 3 0 100 6 3 3 0 000-6zM6 21c0-5 2-8 6-8s6 3 6 8",
  wall: "M3 4h18v13H3zM9 4v13M15 4v13M3 10.5h18M8 20.5h8",
  planner: "M3 20h18M5 20V8h6v12M13 20V4h6v16M13 9h6M5 13h6",
  editor: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  vehicle: "M3 15v-4l3-5h10l4 5v4zM6 15v3M18 15v3M3 11h17",
};
export function Icon({ name, size = 18 }: { name: string; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name] ?? PATHS.layers} />
    </svg>
  );
}

const SHAPES = ["", "M12 2L23 21H1z", "M12 1l11 11-11 11L1 12z", "M2 2h20v20H2z", "M12 1a11 11 0 100 22 11 11 0 000-22z"];
export function PriorityMark({ priority, size = 22, isHollow = false }: { priority: number; size?: number; isHollow?: boolean }): JSX.Element {
  return (
    <svg class={`mark p${priority}${isHollow ? " hollow" : ""}`} width={size} height={size} viewBox="0 0 24 24" role="img" aria-label={say("priority", { n: priority })}>
      <path d={SHAPES[priority]} />
      {size >= 16 && <text x="12" y={priority === 1 ? 18.5 : 16.5} text-anchor="middle">{priority}</text>}
    </svg>
  );
}
