/** How each kind of sign is painted: device discs with a status ring, counted pills, labels, alarm beacons and edge tags. */
import { iconPath } from "./icons";
import type { Palette } from "./palette";
import type { Painter } from "./sprites";

export type Status = "standby" | "run" | "off" | "stale" | "bad";
export const FONT = '"Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC",system-ui,sans-serif';
export const LABEL_FONT = `400 13px ${FONT}`, BOLD_FONT = `700 13px ${FONT}`, SMALL_FONT = `400 12px ${FONT}`;

function rounded(ctx: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, r: number): void {
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, r);
}

function plate(ctx: CanvasRenderingContext2D, x: number, y: number, w: number, h: number, r: number, fill: string, line: string): void {
  ctx.save();
  ctx.shadowColor = "rgba(12,20,32,.28)"; ctx.shadowBlur = 4; ctx.shadowOffsetY = 1;
  rounded(ctx, x, y, w, h, r);
  ctx.fillStyle = fill; ctx.fill();
  ctx.restore();
  ctx.lineWidth = 1; ctx.strokeStyle = line; ctx.stroke();
}

function drawIcon(ctx: CanvasRenderingContext2D, symbol: string, cx: number, cy: number, size: number, colour: string): void {
  ctx.save();
  ctx.translate(cx - size / 2, cy - size / 2);
  ctx.scale(size / 24, size / 24);
  ctx.lineWidth = 1.9; ctx.lineCap = "round"; ctx.lineJoin = "round"; ctx.strokeStyle = colour;
  ctx.stroke(iconPath(symbol));
  ctx.restore();
}

export const DISC = 34;

/** A device: disc 26 px, ring by status, teal outer ring when selected; the cell is DISC × DISC. */
export function discPainter(symbol: string, status: Status, isSelected: boolean, p: Palette): Painter {
  return (ctx) => {
    const c = DISC / 2, r = 11.5;
    ctx.save();
    ctx.shadowColor = "rgba(12,20,32,.35)"; ctx.shadowBlur = 3; ctx.shadowOffsetY = 1;
    ctx.beginPath(); ctx.arc(c, c, r, 0, 7); ctx.fillStyle = status === "stale" ? p.staleBg : p.surface; ctx.fill();
    ctx.restore();
    if (status === "stale") {
      ctx.save(); ctx.beginPath(); ctx.arc(c, c, r, 0, 7); ctx.clip();
      ctx.strokeStyle = p.stale; ctx.lineWidth = 1.2; ctx.globalAlpha = 0.7; ctx.beginPath();
      for (let x = -DISC; x < DISC; x += 4) { ctx.moveTo(x, DISC); ctx.lineTo(x + DISC, 0); }
      ctx.stroke(); ctx.restore();
    }
    ctx.beginPath(); ctx.arc(c, c, r, 0, 7);
    ctx.lineWidth = 2.2;
    ctx.strokeStyle = { standby: p.standby, run: p.run, off: p.off, stale: p.stale, bad: p.bad }[status];
    if (status === "off") ctx.setLineDash([1.5, 3.2]);
    if (status === "bad") ctx.setLineDash([4.5, 3]);
    ctx.stroke(); ctx.setLineDash([]);
    drawIcon(ctx, symbol, c, c, 15, status === "run" ? p.run : p.text2);
    if (isSelected) { ctx.beginPath(); ctx.arc(c, c, 15.2, 0, 7); ctx.lineWidth = 2.6; ctx.strokeStyle = p.accent; ctx.stroke(); }
  };
}

export function priorityPath(ctx: CanvasRenderingContext2D, priority: number, cx: number, cy: number, r: number): void {
  ctx.beginPath();
  if (priority === 1) { ctx.moveTo(cx, cy - r); ctx.lineTo(cx + r, cy + r * 0.82); ctx.lineTo(cx - r, cy + r * 0.82); ctx.closePath(); }
  else if (priority === 2) { ctx.moveTo(cx, cy - r); ctx.lineTo(cx + r, cy); ctx.lineTo(cx, cy + r); ctx.lineTo(cx - r, cy); ctx.closePath(); }
  else if (priority === 3) ctx.rect(cx - r * 0.82, cy - r * 0.82, r * 1.64, r * 1.64);
  else ctx.arc(cx, cy, r * 0.9, 0, 7);
}

/** Shape, colour and figure of an alarm priority. */
export function drawPriority(ctx: CanvasRenderingContext2D, priority: number, cx: number, cy: number, r: number, p: Palette): void {
  const tone = p.priority[Math.min(4, Math.max(1, priority)) - 1]!;
  priorityPath(ctx, priority, cx, cy, r);
  ctx.lineJoin = "round"; ctx.fillStyle = tone.fill; ctx.fill();
  ctx.lineWidth = 1.4; ctx.strokeStyle = tone.edge; ctx.stroke();
  if (r < 6) return;
  ctx.fillStyle = tone.on; ctx.font = `700 ${Math.round(r * 1.15)}px ${FONT}`; ctx.textAlign = "center"; ctx.textBaseline = "middle";
  ctx.fillText(String(priority), cx, cy + (priority === 1 ? r * 0.28 : 1));
}

export interface PillLook { symbol: string; count: number; worst: number }
export const PILL_HEIGHT = 34;
export function pillWidth(count: number): number { return 52 + String(count).length * 8; }

export function pillPainter({ symbol, count, worst }: PillLook, width: number, p: Palette): Painter {
  return (ctx) => {
    plate(ctx, 4, 6, width - 10, 24, 12, p.surface, p.line3);
    drawIcon(ctx, symbol, 18, 18, 15, p.text2);
    ctx.fillStyle = p.text; ctx.font = BOLD_FONT; ctx.textAlign = "left"; ctx.textBaseline = "middle";
    ctx.fillText(String(count), 30, 18.5);
    if (worst) drawPriority(ctx, worst, width - 10, 9, 7.5, p);
  };
}

export const LABEL_HEIGHT = 26;
/** A label plate: bold name, then value. */
export function labelPainter(name: string, value: string, nameWidth: number, width: number, p: Palette, isStrong = false): Painter {
  return (ctx) => {
    plate(ctx, 2, 2, width - 4, LABEL_HEIGHT - 5, 4, isStrong ? p.accent : p.surface, isStrong ? p.accent : p.line);
    ctx.textBaseline = "middle"; ctx.textAlign = "left";
    ctx.fillStyle = isStrong ? p.onAccent : p.text; ctx.font = value ? LABEL_FONT : BOLD_FONT;
    ctx.fillText(name, 9, LABEL_HEIGHT / 2);
    if (value) { ctx.font = BOLD_FONT; ctx.fillText(value, 9 + nameWidth + 6, LABEL_HEIGHT / 2); }
  };
}

export const ROOM_HEIGHT = 34;
/** A room's own writing, straight on its floor colour: name above, value below, with a halo so it reads on any ramp. */
export function roomPainter(name: string, value: string, width: number, ink: string, halo: string): Painter {
  return (ctx) => {
    ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.lineJoin = "round";
    ctx.lineWidth = 3; ctx.strokeStyle = halo; ctx.fillStyle = ink;
    ctx.font = SMALL_FONT; ctx.strokeText(name, width / 2, value ? 10 : 17); ctx.fillText(name, width / 2, value ? 10 : 17);
    if (!value) return;
    ctx.font = `700 14px ${FONT}`; ctx.strokeText(value, width / 2, 25); ctx.fillText(value, width / 2, 25);
  };
}

/** A name written over the park without a plate. */
export function namePainter(name: string, width: number, p: Palette, isDark: boolean): Painter {
  return (ctx) => {
    ctx.font = BOLD_FONT; ctx.textAlign = "center"; ctx.textBaseline = "middle"; ctx.lineJoin = "round";
    ctx.lineWidth = 3.5; ctx.strokeStyle = isDark ? "rgba(11,18,32,.85)" : "rgba(255,255,255,.88)"; ctx.strokeText(name, width / 2, 12);
    ctx.fillStyle = p.text; ctx.fillText(name, width / 2, 12);
  };
}

export const BEACON_HEIGHT = 46;
export function beaconPainter(priority: number, title: string, place: string, width: number, p: Palette): Painter {
  return (ctx) => {
    const tone = p.priority[Math.min(4, Math.max(1, priority)) - 1]!;
    plate(ctx, 3, 3, width - 6, BEACON_HEIGHT - 8, 4, p.surface, tone.edge);
    ctx.save(); rounded(ctx, 3, 3, width - 6, BEACON_HEIGHT - 8, 4); ctx.clip();
    ctx.fillStyle = tone.fill; ctx.fillRect(3, 3, 34, BEACON_HEIGHT - 8); ctx.restore();
    ctx.strokeStyle = tone.on; ctx.lineWidth = 2; ctx.lineJoin = "round";
    priorityPath(ctx, priority, 20, 22, 11); ctx.fillStyle = tone.on; ctx.fill();
    ctx.fillStyle = tone.fill; ctx.font = `700 12px ${FONT}`; ctx.textAlign = "center"; ctx.textBaseline = "middle";
    ctx.fillText(String(priority), 20, priority === 1 ? 25 : 22.5);
    ctx.textAlign = "left"; ctx.fillStyle = p.text; ctx.font = BOLD_FONT; ctx.fillText(title, 45, 15);
    ctx.fillStyle = p.text2; ctx.font = SMALL_FONT; ctx.fillText(place, 45, 30.5);
  };
}

/** The bare mark of a lesser alarm. */
export function markPainter(priority: number, p: Palette): Painter {
  return (ctx) => drawPriority(ctx, priority, 15, 15, 11, p);
}

export const EDGE_HEIGHT = 44;
export function edgePainter(priority: number, place: string, metres: string, angle: number, width: number, p: Palette): Painter {
  return (ctx) => {
    plate(ctx, 3, 3, width - 6, EDGE_HEIGHT - 8, 4, p.surface, p.line3);
    drawPriority(ctx, priority, 19, 21, 10, p);
    ctx.textAlign = "left"; ctx.textBaseline = "middle"; ctx.fillStyle = p.text; ctx.font = BOLD_FONT; ctx.fillText(place, 36, 14.5);
    ctx.fillStyle = p.text2; ctx.font = SMALL_FONT; ctx.fillText(metres, 52, 29.5);
    ctx.save(); ctx.translate(43, 29); ctx.rotate(angle); ctx.strokeStyle = p.text2; ctx.lineWidth = 1.6; ctx.lineCap = "round";
    ctx.beginPath(); ctx.moveTo(-5, 0); ctx.lineTo(5, 0); ctx.moveTo(1.5, -3.5); ctx.lineTo(5, 0); ctx.lineTo(1.5, 3.5); ctx.stroke(); ctx.restore();
  };
}

/** A person (round) or a vehicle (square), hatched grey when its position is old. */
export function trackPainter(kind: "person" | "vehicle", isStale: boolean, p: Palette): Painter {
  return (ctx) => {
    const fill = isStale ? p.staleBg : p.accent, ink = isStale ? p.stale : p.onAccent;
    ctx.beginPath();
    if (kind === "person") ctx.arc(11, 11, 8.5, 0, 7); else ctx.roundRect(2.5, 4, 17, 14, 3.5);
    ctx.fillStyle = fill; ctx.fill(); ctx.lineWidth = 1.4; ctx.strokeStyle = p.surface; ctx.stroke();
    drawIcon(ctx, kind, 11, 11, 13, ink);
  };
}
