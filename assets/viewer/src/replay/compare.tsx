/** Two moments beside each other: the one on the screen (A) and one kept (B), the same place from the same eye. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { faultOf } from "../app/api";
import { clock, figure } from "../app/format";
import { ask, replay } from "../app/replaying";
import { place, placePath, world } from "../app/store";
import { lang, named, say } from "../app/words";
import { replayApi, type Then } from "./api";

function Picture({ letter, at, node, onClick }: { letter: string; at: number; node: string; onClick: () => void }): JSX.Element {
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading"), src = replayApi.still(at, node);
  useEffect(() => setState("loading"), [src]);
  return (
    <figure class={`still ${state}`}><button onClick={onClick} title={say("replay.goto")}><img src={src} alt={say("replay.still", { at: clock(at) })} onLoad={() => setState("ready")} onError={() => setState("failed")} /></button>
      <figcaption>{letter} {clock(at)}</figcaption>{state === "loading" ? <p role="status">{say("replay.still.busy")}</p> : state === "failed" ? <p role="alert">{say("replay.still.failed")}</p> : null}</figure>
  );
}

/** B less A, signed; nothing smaller than the last digit shown is a difference. */
function difference(a: number | null, b: number | null | undefined, digits: number): string {
  if (a === null || b === null || b === undefined) return "—";
  const d = b - a, isNone = Math.abs(d) < 0.5 * 10 ** -digits;
  return isNone ? "0" : `${d > 0 ? "+" : "−"}${figure(Math.abs(d), digits)}`;
}

export function Compare({ kept, onClose }: { kept: number; onClose: () => void }): JSX.Element {
  void lang.value;
  const r = replay.value, resting = r && !r.is_playing ? Math.floor(r.at_ms) : null, [at, setAt] = useState(resting ?? kept), [pair, setPair] = useState<[Then, Then] | null>(null), [fault, setFault] = useState("");
  const node = [...placePath.value].reverse().find((n) => ["storey", "building", "park"].includes(n.kind))?.id ?? place.value, where = world.value?.byId.get(node);
  // the moment on the screen, once it has rested a while
  useEffect(() => { if (resting === null) return; const timer = window.setTimeout(() => setAt(resting), 400); return () => window.clearTimeout(timer); }, [resting]);
  useEffect(() => {
    let isHere = true;
    Promise.all([replayApi.then(at, node), replayApi.then(kept, node)]).then((both) => { if (isHere) { setPair(both); setFault(""); } }, (e) => { if (isHere) setFault(faultOf(e)); });
    return () => { isHere = false; };
  }, [at, kept, node]);
  const rows = pair ? pair[0].cards.map((a) => ({ a, b: pair[1].cards.find((c) => c.key === a.key) })).filter((x) => x.a.value !== null || x.b?.value != null).slice(0, 7) : [];
  return (
    <section class="panel compare"><header><h2>{say("replay.compare")}</h2><small>{where ? (where.id === "park" ? say("park") : named(where)) : ""}</small><span class="spacer" /><button onClick={onClose}>{say("replay.compare.end")}</button></header>
      <Picture letter={say("replay.a")} at={at} node={node} onClick={() => ask({ at_ms: at })} /><Picture letter={say("replay.b")} at={kept} node={node} onClick={() => ask({ at_ms: kept, is_playing: false })} />
      {fault ? <p role="alert">{fault}</p> : !pair ? <p class="empty">{say("loading")}</p> : (
        <table><thead><tr><th /><th>{say("replay.a")}</th><th>{say("replay.b")}</th><th>{say("replay.b")} − {say("replay.a")}</th></tr></thead>
          <tbody>{rows.map(({ a, b }) => <tr key={a.key}><th scope="row">{named(a)}</th><td>{figure(a.value, a.digits)} <small>{a.unit}</small></td><td>{figure(b?.value ?? null, a.digits)} <small>{a.unit}</small></td><td><b>{difference(a.value, b?.value, a.digits)}</b></td></tr>)}</tbody></table>)}
    </section>
  );
}
