/** Our own symbols, one path each in a 24 × 24 box, drawn as 1.8-unit strokes. Keys are the `symbol` of a device kind. */
export const ICONS: Record<string, string> = {
  fan: "M12 12m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M12 10C9 7 10 3.5 13 4c2 .4 2 3.5-1 6M13.8 13c4-1 6.500 1.600 5 4c-1 1.700-4 .6-5-4M10.200 13c-1 4-4.500 5-5.700 2.600c-.9-1.800 1.700-3.600 5.700-2.600",
  coil: "M4 7h16v10H4zM7 17v-7M10.300 17v-7M13.700 17v-7M17 17v-7",
  snow: "M12 3v18M4.200 7.500l15.600 9M19.800 7.500l-15.600 9M9.500 4.500L12 7l2.500-2.500M9.500 19.500L12 17l2.500 2.500",
  tower: "M6 20L9 4h6l3 16zM8 10h8M7 15h10",
  pump: "M12 12m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M12 6h8M12 12l4-3M12 12v4",
  meter: "M4 16a8 8 0 0 1 16 0M12 16l4-5M4 16h16",
  transformer: "M9 12m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0M15 12m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
  sun: "M12 12m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0M12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600l1.400 1.400M17 17l1.400 1.400M18.400 5.600L17 7M7 17l-1.400 1.400",
  lamp: "M9 17h6M10 20h4M9 17c0-2-3-3.500-3-7a6 6 0 0 1 12 0c0 3.500-3 5-3 7",
  drop: "M12 3c4 5 6 7.500 6 11a6 6 0 0 1-12 0c0-3.500 2-6 6-11z",
  door: "M6 21V3h12v18M4 21h16M14.500 12v.5",
  gate: "M4 20v-9M20 20v-4M4 13l16-5M4 20h3",
  camera: "M3 7h12v10H3zM15 11l6-3v8l-6-3",
  radar: "M12 20a8 8 0 1 1 8-8M12 16a4 4 0 1 1 4-4M12 12l6 6",
  sensor: "M10 14V5a2 2 0 0 1 4 0v9a4 4 0 1 1-4 0M12 17V9",
  weather: "M7 18a4 4 0 0 1 0-8a5 5 0 0 1 9.600 1a3.500 3.500 0 0 1 .4 7zM9 21l.5-1M13 21l.5-1",
  smoke: "M5 10a7 4 0 0 1 14 0zM8 14c1 1 1 2 0 3M12 14c1 1 1 2 0 3M16 14c1 1 1 2 0 3M8 20c.5.5.5.500 0 1",
  hydrant: "M8 21V9a4 4 0 0 1 8 0v12M6 21h12M5 12h3M16 12h3M7 9h10",
  firepump: "M12 3c3 4 5 5.500 5 9.500a5 5 0 0 1-10 0c0-2 1-3.500 2-4.500c.5 1.500 1 2 2 2.500c.5-3 .5-5 1-7.500zM6 21h12",
  charger: "M5 21V4h9v17M4 21h11M14 10h3v6a1.500 1.500 0 0 0 3 0V9l-3-3M10 7l-2.500 4h4L9 15",
  lift: "M5 3h14v18H5zM9 10l3-3.500l3 3.500M9 14l3 3.500l3-3.500",
  screen: "M3 5h18v11H3zM9 20h6M12 16v4",
  speaker: "M4 10h4l5-4v12l-5-4H4zM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11",
  parking: "M5 3h14v18H5zM10 17V7h3a3 3 0 0 1 0 6h-3",
  person: "M12 7.500m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0M6 20c0-4 2.500-6.500 6-6.500s6 2.500 6 6.500",
  vehicle: "M4 16v-4l2-5h12l2 5v4zM4 12h16M7 16v2M17 16v2",
  node: "M12 12m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
};

const PATHS = new Map<string, Path2D>();

/** The symbol's path; an unknown symbol is a plain circle. */
export function iconPath(symbol: string): Path2D {
  let path = PATHS.get(symbol);
  if (!path) PATHS.set(symbol, (path = new Path2D(ICONS[symbol] ?? ICONS.node!)));
  return path;
}
