/** Geofences: which there are and who is inside, and drawing one: on the plan of a storey or the grounds, or by picking a room. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Shape, TreeNode, World } from "../../contract";
import { scene } from "../parts/scene";
import { token } from "../parts/chart";
import { PriorityMark } from "../parts/icons";
import { activeAlarms, groundLevel, me, placeNode, placePath, world } from "../store";
import { lang, named, pick, say, theme } from "../words";
import { type FenceBody, type FencesAnswer, type FenceView, findFences, middleOf, spatialApi } from "./api";
import { boxOf, pathOf, Plan } from "./plan";

const RULES = ["enter", "leave", "dwell", "forbidden", "cross"], HIGH = 3;

export function FencesPanel(): JSX.Element {
  void lang.value;
  const w = world.value, [found, setFound] = useState<FencesAnswer | null>(null), [fault, setFault] = useState(""), [isDrawing, setDrawing] = useState(false);
  const load = () => findFences().then((a) => { setFault(""); setFound(a); }, (e: Error) => setFault(e.message));
  useEffect(() => { void load(); const timer = window.setInterval(load, 5000); return () => clearInterval(timer); }, []);
  useEffect(() => { scene?.setShapes("fences", found ? found.fences.flatMap(shapesOf) : null); return () => scene?.setShapes("fences", null); }, [found && JSON.stringify(found.fences.map((f) => [f.id, f.inside])), theme.value]);
  const may = me.value?.role === "commander" || me.value?.role === "admin";
  if (!w || !found) return <p class={fault ? "why" : "empty"}>{fault || say("fences.loading")}</p>;
  if (isDrawing) return <Draw w={w} found={found} onDone={() => { setDrawing(false); void load(); }} onCancel={() => setDrawing(false)} />;
  const remove = async (f: FenceView) => { try { await spatialApi.removeFence(f.id); await load(); } catch (e) { setFault((e as Error).message); } };
  return (
    <div class="fences-panel">
      {fault && <p class="why" role="alert">{fault}</p>}
      {found.findings.map((f) => <p key={f.what} class="why">{f.what}；{f.mend}</p>)}
      {found.fences.length === 0 && <p class="empty">{say("fences.none")}</p>}
      <ul class="fence-list">{found.fences.map((f) => { const on = activeAlarms.value.filter((a) => a.device === `fence:${f.id}`).length; return (
        <li key={f.id}><header><PriorityMark priority={f.priority} size={16} /><b>{named(f)}</b>{on > 0 && <em>{say("fences.alarms", { n: on })}</em>}</header>
          <p>{say(`fences.rule.${f.rule}`)}{f.mins ? ` ${f.mins} min` : ""}{f.hours ? ` · ${f.hours.join("–")}` : ""} · {f.roles.length ? f.roles.map(roleName).join("、") : f.kinds.map((k) => say(`fences.kind.${k}`)).join("、")} · {say("fences.inside", { n: f.inside })}</p>
          <footer><small>{say("fences.answers")} {pick(f.response, "owner")} · {f.response.deadline_mins} min</small><span><button onClick={() => scene?.setCamera({ ...scene.getCamera(), target: middleOf(f), distance: 90 })}>{say("fences.show")}</button>{f.drawn ? <button disabled={!may} onClick={() => void remove(f)}>{say("fences.remove")}</button> : <small>{say("fences.declared")}</small>}</span></footer></li>); })}</ul>
      <button class="primary" disabled={!may} title={may ? "" : say("fences.role")} onClick={() => setDrawing(true)}>{say("fences.draw")}</button>
      <p class="note">{say("fences.how")}</p>
    </div>
  );
}

const roleName = (role: string): string => { const words = say(`role.${role}`); return words.startsWith("role.") ? role : words; };

/** A fence as an upright band about its place. */
export function shapesOf(f: FenceView): Shape[] {
  const fill = token("--accent"), z0 = f.band ? f.band[0] + 0.3 : groundLevel() + 0.2, z1 = f.band ? Math.min(f.band[1], f.band[0] + HIGH) : groundLevel() + HIGH;
  return f.outline.map((ring) => ({ kind: "wall", ring, isClosed: !f.line?.length, z0, z1, fill, alpha: f.inside ? 0.34 : 0.16 }));
}

function Draw({ w, found, onDone, onCancel }: { w: World; found: FencesAnswer; onDone: () => void; onCancel: () => void }): JSX.Element {
  const storey = placePath.value.find((n) => n.kind === "storey") ?? null, [mode, setMode] = useState<"place" | "ring" | "line">("place"), [points, setPoints] = useState<[number, number][]>([]), [node, setNode] = useState<TreeNode | null>(placeNode.value?.kind === "park" ? null : placeNode.value);
  const [name, setName] = useState(""), [rule, setRule] = useState("enter"), [roles, setRoles] = useState<string[]>([]), [kind, setKind] = useState("person"), [priority, setPriority] = useState(2), [mins, setMins] = useState(5), [hours, setHours] = useState<[string, string] | null>(null), [owner, setOwner] = useState(""), [steps, setSteps] = useState(""), [deadline, setDeadline] = useState(5), [fault, setFault] = useState("");
  const band: [number, number] | null = storey ? [(storey.z ?? 0) - 0.3, (storey.z ?? 0) + (storey.h ?? 4) - 0.4] : null, box = boxOf(w, storey);
  useEffect(() => {
    const fill = token("--accent"), z0 = band ? band[0] + 0.4 : groundLevel() + 0.2;
    scene?.setShapes("drawing", mode !== "place" && points.length > 1 ? [{ kind: "wall", ring: points, isClosed: mode === "ring" && points.length > 2, z0, z1: z0 + HIGH, fill, alpha: 0.3 }] : null);
    return () => scene?.setShapes("drawing", null);
  }, [points, mode]);
  const save = async () => {
    const list = steps.split("\n").map((s) => s.trim()).filter(Boolean), body: FenceBody = {
      id: `f-${Date.now().toString(36)}`, name, name_zh: name, rule: mode === "line" ? "cross" : rule, priority, kinds: [kind], roles, hours, mins: rule === "dwell" ? mins : 0,
      response: { owner, owner_zh: owner, steps: list, steps_zh: list, deadline_mins: deadline },
      ...(mode === "place" ? { node: node?.id ?? "" } : mode === "ring" ? { ring: points, z: band } : { line: points, z: band }),
    };
    if (!owner.trim() || !list.length) { setFault(say("fences.noowner")); return; }
    if (mode === "place" ? !node : points.length < (mode === "ring" ? 3 : 2)) { setFault(say("fences.noplace")); return; }
    try { await spatialApi.addFence(body); setFault(""); onDone(); } catch (e) { setFault((e as Error).message); }
  };
  return (
    <form class="fences-panel draw" onSubmit={(e) => { e.preventDefault(); void save(); }}>
      <label>{say("fences.name")}<input required value={name} onInput={(e) => setName(e.currentTarget.value)} /></label>
      <div class="pair" role="group" aria-label={say("fences.where")}>{(["place", "ring", "line"] as const).map((m) => <button type="button" key={m} aria-pressed={mode === m} onClick={() => { setMode(m); setPoints([]); }}>{say(`fences.by.${m}`)}</button>)}</div>
      <Plan w={w} storey={storey} box={box} label={say("fences.plan")} onPick={mode === "place" ? undefined : (at) => setPoints([...points, at])} onRoom={mode === "place" ? (n) => setNode(n) : undefined}>
        {mode === "place" && node && <Picked w={w} node={node} />}
        {points.length > 0 && <path class="drawn" d={pathOf(points, mode === "ring" && points.length > 2)} style={mode === "line" ? { fill: "none" } : {}} />}
        {points.map(([x, y], k) => <circle key={k} class="now" cx={x} cy={-y} r={Math.max(box.x1 - box.x0, box.y1 - box.y0) / 90} />)}
      </Plan>
      <p class="note">{mode === "place" ? node ? `${say("fences.chosen")} ${named(node)}` : say("fences.pick") : say("fences.click", { n: points.length })} {mode !== "place" && points.length > 0 && <button type="button" class="link" onClick={() => setPoints(points.slice(0, -1))}>{say("fences.undo")}</button>}{!storey && <> · {say("fences.drill")}</>}</p>
      <div class="grid2">
        <label>{say("fences.rule")}<select disabled={mode === "line"} value={mode === "line" ? "cross" : rule} onChange={(e) => setRule(e.currentTarget.value)}>{RULES.map((r) => <option key={r} value={r}>{say(`fences.rule.${r}`)}</option>)}</select></label>
        <label>{say("fences.priority")}<select value={priority} onChange={(e) => setPriority(Number(e.currentTarget.value))}>{[1, 2, 3, 4].map((p) => <option key={p} value={p}>P{p}</option>)}</select></label>
        <label>{say("fences.who")}<select value={kind} onChange={(e) => { setKind(e.currentTarget.value); setRoles([]); }}><option value="person">{say("fences.kind.person")}</option><option value="vehicle">{say("fences.kind.vehicle")}</option></select></label>
        {rule === "dwell" && mode !== "line" ? <label>{say("fences.mins")}<input type="number" min={1} max={1440} value={mins} onInput={(e) => setMins(e.currentTarget.valueAsNumber)} /></label>
          : <label class="check"><input type="checkbox" checked={hours !== null} onChange={(e) => setHours(e.currentTarget.checked ? ["22:00", "06:00"] : null)} /><span>{say("fences.hours")}</span></label>}
        {hours && <><label>{say("trail.from")}<input type="time" value={hours[0]} onInput={(e) => setHours([e.currentTarget.value, hours[1]])} /></label><label>{say("trail.to")}<input type="time" value={hours[1]} onInput={(e) => setHours([hours[0], e.currentTarget.value])} /></label></>}
      </div>
      <fieldset class="roles"><legend>{say("fences.roles")}</legend>{found.roles.map((r) => <label key={r} class="check"><input type="checkbox" checked={roles.includes(r)} onChange={(e) => setRoles(e.currentTarget.checked ? [...roles, r] : roles.filter((x) => x !== r))} /><span>{roleName(r)}</span></label>)}</fieldset>
      <div class="grid2"><label>{say("fences.owner")}<input value={owner} onInput={(e) => setOwner(e.currentTarget.value)} /></label><label>{say("fences.deadline")}<input type="number" min={1} value={deadline} onInput={(e) => setDeadline(e.currentTarget.valueAsNumber)} /></label></div>
      <label>{say("fences.steps")}<textarea rows={2} value={steps} onInput={(e) => setSteps(e.currentTarget.value)} /></label>
      {fault && <p class="why" role="alert">{fault}</p>}
      <div class="verbs"><button class="primary">{say("fences.save")}</button><button type="button" onClick={onCancel}>{say("fences.cancel")}</button></div>
    </form>
  );
}

function Picked({ w, node }: { w: World; node: TreeNode }): JSX.Element | null {
  const space = w.rooms.get(node.i);
  if (space) return <path class="drawn" d={pathOf(space.ring, true)} />;
  if (node.kind === "storey") return <>{w.rooms.of(node.i).map((s) => <path key={s.i} class="drawn" d={pathOf(s.ring, true)} />)}</>;
  return node.kind === "building" ? <rect class="drawn" x={node.bbox[0]} y={-node.bbox[4]} width={node.bbox[3] - node.bbox[0]} height={node.bbox[4] - node.bbox[1]} /> : null;
}
