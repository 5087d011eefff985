/** Colours of the signs drawn over the model: the design tokens the 2D pages use, in the two themes. */
import type { Theme } from "../contract";

export interface Palette {
  surface: string; surface2: string; text: string; text2: string; line: string; line3: string; accent: string; onAccent: string;
  standby: string; run: string; off: string; stale: string; staleBg: string; bad: string; none: string; ghostLine: string;
  priority: { fill: string; on: string; edge: string; soft: string }[];
}

const LIGHT: Palette = {
  surface: "#ffffff", surface2: "#f4f5f7", text: "#18202b", text2: "#414c5a", line: "#c2c8d0", line3: "#79838f", accent: "#0b6b66",
  onAccent: "#ffffff", standby: "#79838f", run: "#18202b", off: "#8b929c", stale: "#8b929c", staleBg: "#d4d8dd", bad: "#566170",
  none: "#e3e6ea", ghostLine: "#5c6876",
  priority: [
    { fill: "#b50d2b", on: "#ffffff", edge: "#8c0c20", soft: "#f9e1e3" }, { fill: "#dd6c00", on: "#1b1200", edge: "#a85400", soft: "#fbeada" },
    { fill: "#fbe745", on: "#1f1a00", edge: "#7d6900", soft: "#faf3c8" }, { fill: "#1f5bd0", on: "#ffffff", edge: "#15479f", soft: "#dfe9fb" },
  ],
};

const DARK: Palette = {
  surface: "#162135", surface2: "#101929", text: "#eaf0f8", text2: "#b6c2d3", line: "#30405b", line3: "#6c7d97", accent: "#4fc3b8",
  onAccent: "#04211f", standby: "#93a2b8", run: "#eaf0f8", off: "#6c7d97", stale: "#969ca4", staleBg: "#2c3647", bad: "#93a2b8",
  none: "#1d2a41", ghostLine: "#8ea3c4",
  priority: [
    { fill: "#c81c38", on: "#ffffff", edge: "#ff8a95", soft: "#3a1624" }, { fill: "#f47e12", on: "#1b1200", edge: "#ffc078", soft: "#352517" },
    { fill: "#fff6ac", on: "#1f1a00", edge: "#fff0a0", soft: "#312f1c" }, { fill: "#2e7dfa", on: "#03102a", edge: "#93bfff", soft: "#152a4c" },
  ],
};

export function paletteOf(theme: Theme): Palette {
  return theme === "dark" ? DARK : LIGHT;
}
