/** The park's clock: every hour and day on a page is that of the place, wherever its reader sits. */
let format: Intl.DateTimeFormat | null = null, zoneId = "";
const HOUR = 3_600_000, offsets = new Map<number, number>();

/** Names the zone (IANA); before that, and where it is unknown here, the machine's own is used. */
export function setZone(zone: string): void {
  offsets.clear();
  zoneId = zone;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  } catch { format = null; zoneId = ""; }
}

/** Milliseconds the park's clock is ahead of UTC at an instant. */
function ahead(ms: number): number {
  if (!format) return -new Date(ms).getTimezoneOffset() * 60_000;
  const hour = Math.floor(ms / HOUR), known = offsets.get(hour);
  if (known !== undefined) return known;
  const part = Object.fromEntries(format.formatToParts(hour * HOUR).map((p) => [p.type, Number(p.value)])) as Record<string, number>;
  const found = Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!) - hour * HOUR;
  if (offsets.size > 5000) offsets.clear();
  offsets.set(hour, found);
  return found;
}

/** A date whose UTC fields are the park's local ones: read it with getUTC… alone. */
export const inPark = (ms: number): Date => new Date(ms + ahead(ms));
/** What the clock of an instant is called where the reader reads: China Standard Time, 中国标准时间. */
export function zoneName(ms: number, locale: string): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZone: zoneId || undefined, timeZoneName: "long" }).formatToParts(ms);
  return parts.find((p) => p.type === "timeZoneName")?.value ?? zoneId;
}
/** 7 → 07 */
export const two = (n: number): string => String(n).padStart(2, "0");
export const hourOf = (ms: number): number => inPark(ms).getUTCHours();
/** yyyy-mm-dd */
export const dayOf = (ms: number): string => inPark(ms).toISOString().slice(0, 10);
/** hh:mm:ss */
export const clockOf = (ms: number): string => { const d = inPark(ms); return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`; };
/** The instant of a park-local "yyyy-mm-dd" or "yyyy-mm-ddThh:mm"; NaN when it is none. */
export function instantOf(local: string): number {
  const naive = Date.parse(`${local.length === 10 ? `${local}T00:00` : local}Z`);
  const guess = naive - ahead(naive);
  return naive - ahead(guess);
}
/** The last midnight at or before an instant. */
export const midnightOf = (ms: number): number => instantOf(dayOf(ms));
