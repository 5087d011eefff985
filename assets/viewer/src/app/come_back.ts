/** Coming back without a person: to the door one came in by, and to a page that loads again once the server answers. */
const SCREEN = "parktwin.screen", TRY_MS = 2000;

/** Where to sign in again: a wall's screen by its link (kept by the `/screen` page), a person by name. */
export function door(): string {
  if (location.pathname === "/wall" && localStorage.getItem(SCREEN)) return `/screen${location.search}`;
  return `/signin?next=${encodeURIComponent(location.pathname + location.search)}`;
}

let isWaiting = false;
/** Loads the page again as soon as the server answers; never into a browser's own error page. */
export function comeBack(afterMs = 0): void {
  if (isWaiting) return;
  isWaiting = true;
  const look = (): void => void fetch("/livez", { cache: "no-store" }).then((answer) => { if (answer.ok) location.reload(); else setTimeout(look, TRY_MS); }, () => setTimeout(look, TRY_MS));
  setTimeout(look, afterMs);
}
