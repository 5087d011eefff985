/** Sign-in links of the wall's screens, for an admin: make one, see when it was used, revoke it. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, faultOf } from "./api";
import { clock, day } from "./format";
import { me } from "./store";
import { say } from "./words";

interface Screen { id: string; name: string; made_by: string; made_ms: number; opened_ms: number | null; revoked_ms: number | null }

export function WallScreens(): JSX.Element | null {
  const [screens, setScreens] = useState<Screen[]>([]), [name, setName] = useState(""), [link, setLink] = useState(""), [fault, setFault] = useState("");
  if (me.value?.role !== "admin") return null;
  const act = (work: Promise<unknown>): void => void work.then(() => setFault(""), (e: unknown) => setFault(faultOf(e)));
  const load = async (): Promise<void> => setScreens((await call<{ screens: Screen[] }>("GET", "/wall/screens")).screens);
  const make = async (): Promise<void> => { const made = await call<{ path: string }>("POST", "/wall/screens", { name }); setLink(location.origin + made.path); setName(""); await load(); };
  return (
    <details class="screens" onToggle={(e) => { if (e.currentTarget.open) act(load()); }}>
      <summary>{say("wall.screens")}</summary>
      <form onSubmit={(e) => { e.preventDefault(); act(make()); }}><input value={name} maxLength={64} required placeholder={say("wall.screens.name")} aria-label={say("wall.screens.name")} onInput={(e) => setName(e.currentTarget.value)} /><button>{say("wall.screens.make")}</button></form>
      {link && <p role="status"><small>{say("wall.screens.what")}</small><input readOnly value={link} aria-label={say("wall.screens")} onFocus={(e) => e.currentTarget.select()} /><button onClick={() => act(navigator.clipboard.writeText(link))}>{say("wall.screens.copy")}</button></p>}
      <ul>{screens.map((s) => <li key={s.id}><span>{s.name} <small>{s.opened_ms ? say("wall.screens.used", { at: `${day(s.opened_ms)} ${clock(s.opened_ms)}` }) : say("wall.screens.never")}</small></span>
        {s.revoked_ms ? <em>{say("wall.screens.revoked")}</em> : <button onClick={() => act(call("DELETE", `/wall/screens/${encodeURIComponent(s.id)}`).then(load))}>{say("wall.screens.revoke")}</button>}</li>)}</ul>
      {fault && <p class="why" role="alert">{fault}</p>}
    </details>
  );
}
