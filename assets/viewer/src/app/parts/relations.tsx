/** What the chosen thing has to do with others: what holds, feeds, serves and sees it, what is near, and the way in. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call, faultOf } from "../api";
import { figure } from "../format";
import { goTo, place, world } from "../store";
import { lang, named, say } from "../words";
import { token } from "./chart";
import { Icon } from "./icons";
import { scene } from "./scene";

interface Row { i: number; id: string; kind: string; cls: string; name: string; name_zh: string; path: string; path_zh: string }
interface Rows { nodes: Row[]; count: number }
interface Way { metres: number; how: string; points: [number, number, number][] }
type Relation = "containers" | "fed_by" | "feeds" | "serves" | "systems" | "seen_by" | "near";
type Card = Record<Relation, Rows> & { way: Way | null; step_free: Way | null };

/** In the order an operator asks: where, what it hangs on, what hangs on it, who looks at it, what is beside it. */
const SHOWN: Relation[] = ["containers", "fed_by", "feeds", "serves", "systems", "seen_by", "near"];
const LIFTED_M = 0.4;

/** A thing by name, with a click that goes there where pages can. */
function Chip({ row }: { row: Row }): JSX.Element {
  const w = world.value, isThere = !!w && (w.byId.has(row.id) || w.deviceById.has(row.id)), where = lang.value === "zh" ? row.path_zh : row.path;
  return isThere ? <button class="rel" title={where} onClick={() => goTo(row.id)}>{named(row)}</button> : <span class="rel" title={where}>{named(row)}</span>;
}

/** The way from the building's nearest entrance: metres, and drawn in the scene on demand. */
function WayIn({ way, stepFree }: { way: Way; stepFree: Way | null }): JSX.Element {
  const [drawn, setDrawn] = useState<Way | null>(null);
  useEffect(() => {
    scene?.setShapes("way-in", drawn && drawn.points.length > 1 ? [{ kind: "path", points: drawn.points.map(([x, y, z]) => [x, y, z + LIFTED_M] as [number, number, number]), colours: drawn.points.map(() => token("--accent")), width: 4 }] : null);
    return () => scene?.setShapes("way-in", null);
  }, [drawn]);
  const chip = (w: Way, words: string) => <button class="rel" aria-pressed={drawn === w} title={say("relations.way.draw")} onClick={() => setDrawn(drawn === w ? null : w)}><Icon name="pin" size={12} />{say(words, { n: figure(w.metres, 0) })}</button>;
  return <div><dt>{say("relations.way")}</dt><dd>{chip(way, "relations.way.walk")}
    {!stepFree ? <span class="rel">{say("relations.way.steps")}</span> : stepFree.metres > way.metres + 0.5 ? chip(stepFree, "relations.way.wheelchair") : <span class="rel">{say("relations.way.level")}</span>}</dd></div>;
}

/** Relations of a node, asked once it is chosen; quiet until they are there. */
export function Relations({ id }: { id: string }): JSX.Element | null {
  void lang.value;
  const [card, setCard] = useState<{ of: string; told: Card } | null>(null), [fault, setFault] = useState("");
  useEffect(() => {
    let isHere = true;
    setFault("");
    call<Card>("GET", `/graph/card?node=${encodeURIComponent(id)}`).then((told) => { if (isHere) setCard({ of: id, told }); }, (e) => { if (isHere) setFault(faultOf(e)); });
    return () => { isHere = false; };
  }, [id]);
  if (fault) return <p class="note">{fault}</p>;
  if (card?.of !== id) return null;
  const { told } = card, rows = SHOWN.filter((relation) => told[relation].nodes.length);
  if (!rows.length && !told.way) return null;
  return (
    <dl class="relations" aria-label={say("relations")}>
      {rows.map((relation) => <div key={relation}><dt>{say(`relations.${relation}`)}</dt><dd>{told[relation].nodes.map((row) => <Chip key={row.id} row={row} />)}
        {told[relation].count > told[relation].nodes.length && <small>{say("relations.more", { n: told[relation].count - told[relation].nodes.length })}</small>}</dd></div>)}
      {told.way && <WayIn key={id} way={told.way} stepFree={told.step_free} />}
    </dl>
  );
}

/** The card of a place, where no device is chosen: its name and its relations. */
export function PlaceCard(): JSX.Element | null {
  void lang.value;
  const node = world.value?.byId.get(place.value);
  if (!node || node.kind === "park") return null;
  return <section class="panel place-card" aria-label={named(node)}><header><h2>{named(node)}</h2><small>{say(`relations.kind.${node.kind}`)}</small></header><Relations id={node.id} /></section>;
}
