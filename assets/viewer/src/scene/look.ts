/** The looks: every number the shader needs for day, night, an opened building and the underground. Colours are linear unless named display. */
import { Color, Vector3 } from "three";
import type { Theme } from "../contract";

export type Mood = "park" | "opened" | "underground";

export interface Look {
  sun: [number, number, number]; sky: [number, number, number]; ground: [number, number, number]; exposure: number;
  /** display colours */
  fog: string; zenith: string; edge: string; ghost: string; cap: string; none: string;
  fogPerMetre: number; edgeAlpha: number; ghostAlpha: number; ghostEdgeAlpha: number;
  /** 0 day .. 1 night: lit windows, lamp pools */
  night: number;
  glass: string; lawn: [number, number, number]; paving: [number, number, number];
  /** how far everything that is not opened goes to `fog` */
  fade: number;
}

const DAY: Look = {
  sun: [2.42, 2.14, 1.74], sky: [0.46, 0.57, 0.74], ground: [0.31, 0.3, 0.27], exposure: 1,
  fog: "#dbe3ea", zenith: "#cfdde9", edge: "#46545f", ghost: "#dbe7f2", cap: "#66737d", none: "#d4d8dd",
  fogPerMetre: 0.00086, edgeAlpha: 0.34, ghostAlpha: 0.42, ghostEdgeAlpha: 0.6, night: 0, glass: "#5c738d",
  lawn: [1, 1, 1], paving: [1, 1, 1], fade: 0,
};

const NIGHT: Look = {
  sun: [0.075, 0.125, 0.25], sky: [0.062, 0.094, 0.165], ground: [0.034, 0.046, 0.075], exposure: 1.5,
  fog: "#0d1829", zenith: "#0b1220", edge: "#6fb0ee", ghost: "#2b4266", cap: "#55678a", none: "#2c3647",
  fogPerMetre: 0.0011, edgeAlpha: 0.3, ghostAlpha: 0.3, ghostEdgeAlpha: 0.5, night: 1, glass: "#111d33",
  lawn: [0.5, 0.55, 0.66], paving: [0.6, 0.68, 0.8], fade: 0,
};

const OPENED: Record<Theme, Partial<Look>> = {
  light: { sun: [1.75, 1.58, 1.3], sky: [0.78, 0.84, 0.92], ground: [0.55, 0.54, 0.52], fade: 0.42, edge: "#5f86a8", edgeAlpha: 0.5 },
  dark: { sun: [0.22, 0.25, 0.33], sky: [0.3, 0.35, 0.45], ground: [0.14, 0.16, 0.2], fade: 0.35, edge: "#7fa8e0", edgeAlpha: 0.4 },
};

const UNDERGROUND: Record<Theme, Partial<Look>> = {
  light: { sun: [1.3, 1.35, 1.4], sky: [0.95, 1.05, 1.2], fog: "#c7d2dc", zenith: "#d3dce5", ghostAlpha: 0.22, fade: 0.2 },
  dark: { sun: [1.3, 1.35, 1.4], sky: [0.95, 1.05, 1.2], ground: [0.5, 0.55, 0.62], exposure: 1.2, fog: "#16263a", zenith: "#0f1c2e",
    ghost: "#8fc0f2", ghostAlpha: 0.12, edge: "#9fd0ff", edgeAlpha: 0.5, fade: 0.2, night: 0, lawn: [1, 1, 1], paving: [1, 1, 1] },
};

/** The look of a theme in a mood. */
export function lookOf(theme: Theme, mood: Mood): Look {
  const base = theme === "dark" ? NIGHT : DAY;
  if (mood === "opened") return { ...base, ...OPENED[theme] };
  if (mood === "underground") return { ...base, ...UNDERGROUND[theme] };
  return base;
}

const COLOURS = new Map<string, Vector3>();

/** A display colour as the three numbers a shader wants, without three's conversion to linear. Shared: copy before changing. */
export function display(css: string): Vector3 {
  let found = COLOURS.get(css);
  if (!found) {
    const { r, g, b } = new Color().setStyle(css, "srgb-linear");
    COLOURS.set(css, (found = new Vector3(r, g, b)));
  }
  return found;
}
