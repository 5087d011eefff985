/** Beside the map: what there is to place, what is chosen, zones and devices put by hand, and what was done. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TreeNode } from "../contract";
import { clock, figure } from "../app/format";
import { has, named, say } from "../app/words";
import { world } from "../app/store";
import type { Brief, Made, Standing, Told, Xyz } from "./api";
import { walkList } from "./find";
import { chosen, corners, draftName, edits, editOf, freshId, hold, isOfMap, make, node, nudge, outerOf, ownerOf, poseOf, remove, settle, snap, snapped, spot, standing, storeyOf, tool } from "./state";

const M = 3;
function Field({ label, unit, value, step, onSet }: { label: string; unit: string; value: number; step: number; onSet: (v: number) => void }): JSX.Element {
  return <label class="editor-field"><span>{label}</span><input type="number" step={step} value={Number(value.toFixed(unit === "°" ? 2 : M))} onChange={(e) => { const v = e.currentTarget.valueAsNumber; if (Number.isFinite(v)) onSet(v); }} /><small>{unit}</small></label>;
}
const Section = ({ title, count, children }: { title: string; count?: number; children: ComponentChildren }): JSX.Element => <section class="editor-section"><h2>{title}{count !== undefined && <i>{count}</i>}</h2>{children}</section>;

/** Name in both languages, of a building, storey or room. */
function Naming({ of }: { of: TreeNode }): JSX.Element {
  const now = draftName(of), [name, setName] = useState(now.name), [zh, setZh] = useState(now.name_zh);
  const seen = useRef(`${now.name}\n${now.name_zh}`);
  useEffect(() => { // never over what a person has begun to write
    const names = `${now.name}\n${now.name_zh}`;
    if (seen.current !== names) { seen.current = names; setName(now.name); setZh(now.name_zh); }
  }, [now.name, now.name_zh]);
  const isChanged = name !== now.name || zh !== now.name_zh;
  return (
    <form class="editor-name" onSubmit={(e) => { e.preventDefault(); void make({ what: "name", node: of.id, name, name_zh: zh }); }}>
      <label><span>{say("editor.name_zh")}</span><input value={zh} maxLength={200} onInput={(e) => setZh(e.currentTarget.value)} /></label>
      <label><span>{say("editor.name_en")}</span><input value={name} maxLength={200} onInput={(e) => setName(e.currentTarget.value)} /></label>
      <button class={isChanged ? "primary" : ""} disabled={!isChanged || !(name.trim() || zh.trim())}>{say("editor.rename")}</button>
    </form>
  );
}

function PlaceOf({ b }: { b: Standing }): JSX.Element {
  const [told, setTold] = useState(""), pose = poseOf(b), isMap = isOfMap(b.id), edit = editOf("place", b.id), fit = snapped.value?.building === b.id ? snapped.value : null;
  useEffect(() => setTold(""), [b.id]);
  const set = (k: number, v: number) => { const at = [...pose.at] as Xyz; at[k] = v; hold(b.id, { at, heading: pose.heading }); void settle(); };
  return (
    <div class="editor-place">
      {!b.is_placed && <p class="editor-note">{say("editor.unplaced.how")}</p>}
      {isMap && <p class="editor-note">{say("editor.map.how")}</p>}
      <div class="grid2">
        <Field label="x" unit="m" step={0.1} value={pose.at[0]} onSet={(v) => set(0, v)} />
        <Field label="y" unit="m" step={0.1} value={pose.at[1]} onSet={(v) => set(1, v)} />
        {!isMap && <Field label="z" unit="m" step={0.1} value={pose.at[2]} onSet={(v) => set(2, v)} />}
        <Field label={say("editor.heading")} unit="°" step={0.1} value={pose.heading} onSet={(v) => { hold(b.id, { at: pose.at, heading: ((v % 360) + 360) % 360 }); void settle(); }} />
      </div>
      <div class="verbs">
        <button title="[" onClick={() => nudge(b, { turn: -1 })}>−1°</button><button title="]" onClick={() => nudge(b, { turn: 1 })}>+1°</button>
        {!isMap && <button onClick={() => void snap(b).then((r) => setTold(r === "none" ? say("editor.snap.none") : ""))}>{say("editor.snap")}</button>}
        {edit && <button onClick={() => void remove(edit.key)}>{say("editor.sources")}</button>}
      </div>
      {fit && <p class="editor-note">{say("editor.snap.done", { id: fit.footprint, m: figure(fit.residual, 3) })}</p>}
      {told && <p class="editor-note">{told}</p>}
    </div>
  );
}

/** Rooms of a storey: one is chosen to be named, several to be put under a group. */
function Rooms({ storey }: { storey: TreeNode }): JSX.Element {
  const w = world.value!, rooms = nested(w.places.under(storey.i, "space")), [picked, setPicked] = useState<Set<string>>(new Set()), [name, setName] = useState(""), [zh, setZh] = useState("");
  useEffect(() => setPicked(new Set()), [storey.id]);
  const toggle = (id: string) => { const next = new Set(picked); if (!next.delete(id)) next.add(id); setPicked(next); };
  return (
    <Section title={say("editor.rooms")} count={rooms.length}>
      <ul class="editor-list rooms" onKeyDown={walkList}>{rooms.map(([n, depth]) => <li key={n.id} style={{ paddingLeft: `${depth * 1.1}rem` }}><input type="checkbox" aria-label={named(draftName(n))} checked={picked.has(n.id)} onChange={() => toggle(n.id)} /><button data-row aria-pressed={chosen.value === n.id} onClick={() => { chosen.value = n.id; }}><b>{depth > 0 ? "└ " : ""}{named(draftName(n))}</b><small>{groupOf(n)}</small></button></li>)}</ul>
      {picked.size > 0 && (
        <form class="editor-name" onSubmit={(e) => { e.preventDefault(); void make({ what: "group", id: freshId("g"), name, name_zh: zh, nodes: [...picked] }).then((ok) => { if (ok) { setPicked(new Set()); setName(""); setZh(""); } }); }}>
          <label><span>{say("editor.name_zh")}</span><input value={zh} maxLength={200} onInput={(e) => setZh(e.currentTarget.value)} /></label>
          <label><span>{say("editor.name_en")}</span><input value={name} maxLength={200} onInput={(e) => setName(e.currentTarget.value)} /></label>
          <button class="primary" disabled={!(name.trim() || zh.trim())}>{say("editor.group", { n: picked.size })}</button>
        </form>
      )}
    </Section>
  );
}
function groupOf(n: TreeNode): string {
  const found = edits.value?.overrides.find((o) => o.what === "group" && o.nodes?.includes(n.id));
  return found ? named({ name: found.name ?? "", name_zh: found.name_zh }) : "";
}

/** Rooms with those that lie in them below, each with its depth. */
function nested(rooms: TreeNode[]): [TreeNode, number][] {
  const inside = new Map<TreeNode | undefined, TreeNode[]>(), out: [TreeNode, number][] = [], seen = new Set<TreeNode>();
  for (const n of rooms) { const outer = outerOf(n), key = outer && rooms.includes(outer) ? outer : undefined; inside.set(key, [...(inside.get(key) ?? []), n]); }
  const walk = (outer: TreeNode | undefined, depth: number): void => { for (const n of inside.get(outer) ?? []) if (!seen.has(n)) { seen.add(n); out.push([n, depth]); walk(n, depth + 1); } };
  walk(undefined, 0);
  return out;
}
/** In which other room of its storey a room lies. */
function Within({ room, storey }: { room: TreeNode; storey: TreeNode }): JSX.Element {
  const w = world.value!, outer = outerOf(room), edit = editOf("nest", room.id);
  const lies = (n: TreeNode | undefined): boolean => { for (let at = n, k = 0; at && k < 50; at = outerOf(at), k++) if (at === room) return true; return false; };
  const others = w.places.under(storey.i, "space").filter((n) => !lies(n));
  return (
    <label class="editor-field wide"><span>{say("editor.within")}</span>
      <select value={outer?.id ?? ""} onChange={(e) => { const into = e.currentTarget.value; if (into) void make({ what: "nest", node: room.id, into }); else if (edit) void remove(edit.key); }}>
        <option value="">{named(draftName(storey))}</option>
        {others.map((n) => <option key={n.id} value={n.id}>{named(draftName(n))}</option>)}
      </select></label>
  );
}

/** Nothing is chosen: what can be done here, each a click away. */
function Start(): JSX.Element {
  const STEPS: { key: string; go?: () => void }[] = [{ key: "place" }, { key: "name" }, { key: "zone", go: () => { tool.value = "zone"; } }, { key: "device", go: () => { tool.value = "device"; } }, { key: "publish" }];
  return (
    <Section title={say("editor.start")}>
      <ol class="editor-start">{STEPS.map(({ key, go }) => <li key={key}><b>{say(`editor.start.${key}`)}</b><span>{say(`editor.start.${key}.how`)}</span>{go && <button onClick={go}>{say(`editor.tool.${key}`)}</button>}</li>)}</ol>
    </Section>
  );
}

/** What is chosen: its name, its place, its storeys and rooms. */
export function Chosen(): JSX.Element {
  const n = node.value, w = world.value!, b = ownerOf(n), building = b ? w.byId.get(b.id) : undefined;
  if (!n || !b || !building) return <Start />;
  const storeys = w.places.children(building.i, "storey"), storey = storeyOf(n);
  return (
    <>
      <Section title={named(draftName(n))}>
        <Naming key={n.id} of={n} />
        {n.kind === "building" && <PlaceOf b={b} />}
        {n.kind === "space" && storey && <Within key={`in ${n.id}`} room={n} storey={storey} />}
        {storeys.length > 0 && <label class="editor-field wide"><span>{say("editor.storey")}</span><select value={storey?.id ?? b.id} onChange={(e) => { chosen.value = e.currentTarget.value; }}><option value={b.id}>{say("editor.whole")}</option>{storeys.map((s) => <option key={s.id} value={s.id}>{named(draftName(s))}</option>)}</select></label>}
      </Section>
      {storey && <Rooms storey={storey} />}
    </>
  );
}

/** The tool that is on: the zone being drawn, or the device to be put. */
export function ToolPanel(): JSX.Element | null {
  if (tool.value === "zone") return <DrawZone />;
  if (tool.value === "device") return <PutDevice />;
  return null;
}

function DrawZone(): JSX.Element {
  const [name, setName] = useState(""), [zh, setZh] = useState(""), ring = corners.value;
  return (
    <Section title={say("editor.zone.new")}>
      <p class="editor-note">{say("editor.zone.how", { n: ring.length })}</p>
      <form class="editor-name" onSubmit={(e) => { e.preventDefault(); void make({ what: "zone", id: freshId("z"), name, name_zh: zh, ring }).then((ok) => { if (ok) { corners.value = []; setName(""); setZh(""); tool.value = "move"; } }); }}>
        <label><span>{say("editor.name_zh")}</span><input value={zh} maxLength={200} onInput={(e) => setZh(e.currentTarget.value)} /></label>
        <label><span>{say("editor.name_en")}</span><input value={name} maxLength={200} onInput={(e) => setName(e.currentTarget.value)} /></label>
        <div class="verbs"><button type="button" disabled={!ring.length} onClick={() => { corners.value = ring.slice(0, -1); }}>{say("editor.corner.back")}</button><button class="primary" disabled={ring.length < 3 || !(name.trim() || zh.trim())}>{say("editor.zone.save")}</button></div>
      </form>
    </Section>
  );
}

function PutDevice(): JSX.Element {
  const w = world.value!, kinds = edits.value?.kinds ?? [], [kind, setKind] = useState(kinds[0]?.id ?? ""), [id, setId] = useState(""), [name, setName] = useState(""), [zh, setZh] = useState(""), [heading, setHeading] = useState("");
  const known = w.deviceById.get(id.trim()), at = spot.value;
  const put = async () => {
    if (!at) return;
    const ok = await make({ what: "device", id: id.trim() || freshId("d"), kind: known?.kind ?? kind, name: name || known?.name || "", name_zh: zh || known?.name_zh || "", at, heading: heading === "" ? null : Number(heading) });
    if (ok) { spot.value = null; setId(""); setName(""); setZh(""); }
  };
  return (
    <Section title={say("editor.device.new")}>
      <p class="editor-note">{at ? say("editor.device.at", { x: figure(at[0], 2), y: figure(at[1], 2), z: figure(at[2], 2) }) : say("editor.device.how")}</p>
      <form class="editor-name" onSubmit={(e) => { e.preventDefault(); void put(); }}>
        <label><span>{say("editor.device.id")}</span><input list="editor-devices" value={id} maxLength={60} placeholder={say("editor.device.fresh")} onInput={(e) => setId(e.currentTarget.value)} /></label>
        <datalist id="editor-devices">{id.length > 1 && w.devices.filter((d) => d.id.toLowerCase().includes(id.toLowerCase())).slice(0, 30).map((d) => <option key={d.id} value={d.id}>{named(d)}</option>)}</datalist>
        <label><span>{say("editor.device.kind")}</span><select disabled={!!known} value={known?.kind ?? kind} onChange={(e) => setKind(e.currentTarget.value)}>{kinds.map((k) => <option key={k.id} value={k.id}>{named(k)}</option>)}</select></label>
        <label><span>{say("editor.name_zh")}</span><input value={zh} placeholder={known?.name_zh} maxLength={200} onInput={(e) => setZh(e.currentTarget.value)} /></label>
        <label><span>{say("editor.name_en")}</span><input value={name} placeholder={known?.name} maxLength={200} onInput={(e) => setName(e.currentTarget.value)} /></label>
        {at && <label><span>z (m)</span><input type="number" step="any" value={at[2]} onChange={(e) => { const v = e.currentTarget.valueAsNumber; if (Number.isFinite(v)) spot.value = [at[0], at[1], v]; }} /></label>}
        <label><span>{say("editor.heading")}</span><input type="number" step="any" value={heading} onInput={(e) => setHeading(e.currentTarget.value)} /></label>
        <button class="primary" disabled={!at}>{known ? say("editor.device.move") : say("editor.device.put")}</button>
      </form>
    </Section>
  );
}

/** What stands beside the sources, each with the way back. */
export function Kept(): JSX.Element {
  const rows = edits.value?.overrides ?? [], removed = edits.value?.removed ?? [];
  return (
    <Section title={say("editor.kept")} count={rows.length}>
      {!rows.length && !removed.length && <p class="editor-note">{say("editor.kept.none")}</p>}
      <ul class="editor-list kept">{rows.map((o) => <li key={o.key} class={isLost(o) ? "lost" : ""}><span>{seeable(o) ? <button class="link" onClick={() => { chosen.value = seeable(o)!; tool.value = "move"; }}>{say(`editor.what.${o.what}`)} · {nameOf(o)}</button> : <b>{say(`editor.what.${o.what}`)} · {nameOf(o)}</b>}<small>{isLost(o) ? `${say("editor.lost")} · ` : ""}{o.is_draft ? say("editor.draft") : say("editor.published")}{o.by ? ` · ${o.by}` : ""}</small></span><button class="quiet" title={say("editor.takeout")} aria-label={`${say("editor.takeout")}: ${nameOf(o)}`} onClick={() => void remove(o.key)}>✕</button></li>)}
        {removed.map((key) => <li key={key}><span><b>{key}</b><small>{say("editor.takenout")}</small></span></li>)}</ul>
    </Section>
  );
}
/** Whether what an edit means is not in this build; it is kept, and found again when that comes back. */
const isLost = (o: Made): boolean => o.node === "" || o.within === "" || (!!o.nodes?.length && o.nodes.every((id) => !id));
/** The node an edit is about, where there is one to go to. */
function seeable(o: Made): string | undefined { const id = o.node || o.nodes?.find(Boolean); return id && world.value?.byId.has(id) ? id : undefined; }
function nameOf(o: Made): string {
  const nodeName = (id?: string): string => { const n = id ? world.value?.byId.get(id) : undefined; return n ? named(draftName(n)) || n.id : ""; };
  if (o.what === "place") return nodeName(o.node) || o.target!.building;
  if (o.what === "nest") return say("editor.nested", { room: nodeName(o.node) || o.target!.building, in: nodeName(o.within) || "?" });
  return named({ name: o.name || o.id || o.target?.building || "", name_zh: o.name_zh });
}

/** What was done, newest first. */
export function Journal(): JSX.Element {
  const rows = edits.value?.journal ?? [];
  return (
    <Section title={say("editor.journal")}>
      {!rows.length && <p class="editor-note">{say("editor.journal.none")}</p>}
      <ol class="editor-journal">{rows.slice(0, 14).map((c) => <li key={c.n}><time>{clock(c.time_ms).slice(0, 5)}</time><b>{c.by}</b><span>{doing(c)}</span></li>)}</ol>
    </Section>
  );
}
function doing(c: Brief): string {
  if (c.do === "publish" || c.do === "take back") return say(c.do === "publish" ? "editor.did.publish" : "editor.did.takeback");
  const what = c.key.split(":")[0]!, id = c.key.slice(what.length + 1), n = world.value?.byId.get(id), name = c.name || c.name_zh ? named({ name: c.name, name_zh: c.name_zh }) : n ? named(draftName(n)) || id : id;
  const thing = `${say(`editor.what.${what}`)} ${name}`;
  return c.do === "edit" ? (c.is_removal ? `${say("editor.did.remove")} ${thing}` : thing) : `${say(`editor.did.${c.do}`)} ${thing}`;
}

/** What the last build said of edits and of buildings without a place. */
export function Findings(): JSX.Element | null {
  const rows = (edits.value?.findings ?? []).filter((f) => f.level !== "note" && !(f.code === "building.unplaced" && f.fill && standing.value.get(f.fill.building ?? "")?.is_placed));
  if (!rows.length) return null;
  return <Section title={say("editor.findings")} count={rows.length}><ul class="editor-list told">{rows.map((f, k) => <li key={k}><span>{inWords(f)}</span></li>)}</ul></Section>;
}
function inWords(f: Told): string {
  const key = f.code === "building.unplaced" ? "editor.told.unplaced" : `refusal.${f.code}`;
  return f.code && has(key) && f.fill ? say(key, f.fill) : `${f.what}; ${f.mend}`;
}
