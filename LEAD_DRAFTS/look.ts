/** The two looks of the model, as uniforms only: day for the light theme, night for the dark one. Linear colours. */
import { Color, Vector3 } from "three";
import type { Theme } from "../contract";

export interface Look {
  sun: Vector3; sky: Vector3; ground: Vector3; exposure: number; fog: Color; fogDensity: number; zenith: Color; horizon: Color;
  edge: Color; edgeAlpha: number; night: number;
}

const v = (x: number, y: number, z: number) => new Vector3(x, y, z);
const c = (hex: string) => new Color().setStyle(hex, "srgb-linear");

export const LOOKS: Record<Theme, Look> = {
  light: {
    sun: v(2.42, 2.14, 1.74), sky: v(0.46, 0.57, 0.74), ground: v(0.31, 0.3, 0.27), exposure: 1, fog: c("#d9e4ee"), fogDensity: 0.00072,
    zenith: c("#a9c4de"), horizon: c("#e2eaf1"), edge: c("#46545f"), edgeAlpha: 0.34, night: 0,
  },
  dark: {
    sun: v(0.075, 0.125, 0.25), sky: v(0.062, 0.095, 0.17), ground: v(0.035, 0.047, 0.075), exposure: 1.6, fog: c("#0d1829"), fogDensity: 0.0011,
    zenith: c("#0b1220"), horizon: c("#14233b"), edge: c("#6fb0ee"), edgeAlpha: 0.42, night: 1,
  },
};
