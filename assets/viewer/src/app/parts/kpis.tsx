/** The KPI column: what the place looked at is doing, beside the same hour yesterday. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { api, type Kpi } from "../api";
import { change, figure } from "../format";
import { goTo, kpis, line, place, placePath } from "../store";
import { lang, named, pick, say } from "../words";
import { Spark } from "./chart";

function Card({ card }: { card: Kpi }): JSX.Element {
  const isStale = card.stale || !line.value.isUp;
  return (
    <article class={`kpi${isStale ? " stale" : ""}${card.value === null ? " none" : ""}`}>
      <h3>{named(card)}</h3>
      <div class="row"><p><b>{figure(card.value, card.digits)}</b><small>{card.unit}</small></p><Spark now={card.trend} reference={card.trend_reference} /></div>
      <footer>{change(card.value, card.reference) ? <>{say("kpi.yesterday")} <b>{change(card.value, card.reference)}</b></> : pick(card, "note") || " "}</footer>
    </article>
  );
}

/** The nearest scope with cards of its own: storey, building or park. */
function scopes() { return placePath.value.filter((n) => ["park", "building", "storey"].includes(n.kind)); }

export function KpiColumn(): JSX.Element {
  void lang.value;
  const choices = scopes(), scope = choices[choices.length - 1]?.id ?? "park", cards = kpis.value.get(scope);
  useEffect(() => {
    let isGone = false;
    const load = () => api.kpis(scope).then((c) => { if (!isGone) kpis.value = new Map(kpis.value).set(scope, c); }, () => undefined);
    void load();
    const timer = setInterval(load, 5000);
    return () => { isGone = true; clearInterval(timer); };
  }, [scope]);
  return (
    <section class="kpis" aria-label={say("kpis")}>
      <header><h2>{say("kpis")}</h2>
        <div class="pair" role="group">{choices.map((n, k) => <button key={n.id} aria-pressed={n.id === place.value || (k === choices.length - 1)} onClick={() => goTo(n.id)}>{k === 0 ? say("park") : shortName(named(n))}</button>)}</div>
      </header>
      {cards ? cards.map((c) => <Card key={c.key} card={c} />) : [0, 1, 2, 3].map((k) => <article key={k} class="kpi loading" aria-busy="true"><h3>{say("loading")}</h3></article>)}
    </section>
  );
}
const shortName = (name: string) => name.split(/[ ·]/)[0].slice(0, 6);
