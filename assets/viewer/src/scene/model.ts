/** Which piece of the model is drawn how: the park as it stands, or one building opened at one storey. */
import { Box3, Group, Matrix4, Mesh, Vector3, type LineSegments, type Object3D } from "three";
import type { BuildingTiles, StoreyTile } from "../contract";
import { Carried } from "./carried";
import { backgroundOf, dressBackground, type BackgroundObject } from "./background";
import type { Baker } from "./bake";
import type { Materials, Role } from "./materials";
import { piecesOf, type Piece } from "./patch";
import { EDGES, GHOST, SOLID, VEIL, type Stage } from "./stage";
import type { SingleTiles } from "./tiles";

export interface Opened { building: BuildingTiles; storey: StoreyTile }
/** Height above its floor at which an opened storey is cut. */
export const CUT_METRES = 2.1;
const HIDDEN_LAYER = 31;

/** Opaque pieces from what hides to what is hidden, so that no pixel of the ground is coloured in vain. */
function nearestFirst({ cut, place, isPlaced }: Piece): number {
  return place.layer === "context" ? 3 : cut.isGround ? 2 : isPlaced ? 1 : 0;
}

/** How far the storeys above are raised, metres. */
export function liftOf(building: BuildingTiles): number {
  return Math.min(22, Math.max(16, ((building.bbox[5] ?? 0) - (building.bbox[2] ?? 0)) * 0.8));
}

export class Model {
  private readonly pieces = new Set<Piece>();
  private opened: Opened | null = null;
  private openRoots: Object3D[] = [];
  private openPieces: Piece[] = [];
  private ticket = 0;
  /** Buildings drawn elsewhere than they were built. */
  private readonly moved = new Map<string, Matrix4>();
  /** Buildings of the map drawn elsewhere. */
  private readonly carried: Carried;
  isUnderground = false; isXray = false; isCut = false; hasTrees = true;
  /** ids of background layers that are switched off */
  readonly backgroundsOff = new Set<string>();
  tileBytes = 0;

  constructor(private readonly stage: Stage, private readonly materials: Materials, private readonly singles: SingleTiles, readonly baker: Baker,
    private readonly tilesMoved: (building: string, motion: Matrix4 | null) => void, private readonly changed: () => void) {
    this.carried = new Carried(stage.scene, this.pieces, (piece) => this.dress(piece));
    stage.probeGhosts = (isProbe) => this.probe(isProbe, (p) => p.mesh.layers.isEnabled(GHOST));
  }

  get open(): Opened | null { return this.opened; }

  add(pieces: Piece[]): void {
    for (const piece of pieces) {
      this.pieces.add(piece);
      this.tileBytes += piece.bytes;
      this.baker.bake(piece);
      this.dress(piece);
    }
    this.carried.add(pieces);
    this.changed();
  }

  /** Draws a building of the map elsewhere (column-major 4×4 in park metres); null puts it back. */
  setCarried(node: number, motion: number[] | null): void { this.carried.set(node, motion); this.changed(); }

  /** Brings every piece to the baker's look. */
  rebake(): void { for (const piece of this.pieces) this.baker.bake(piece); }

  remove(pieces: Piece[]): void {
    this.carried.remove(pieces);
    for (const piece of pieces) { this.pieces.delete(piece); this.tileBytes -= piece.bytes; }
    this.changed();
  }

  restyle(): void {
    this.stage.hasGhosts = this.opened !== null || this.isUnderground || this.isXray;
    for (const piece of this.pieces) this.dress(piece);
    this.changed();
  }

  /** Opens a storey: its own tile cut at 2.1 m, what is below solid, what is above raised as a ghost. Null closes. */
  async openStorey(next: Opened | null): Promise<void> {
    const ticket = ++this.ticket;
    if (next && this.opened && next.storey.node === this.opened.storey.node) return;
    if (!next) { this.drop(); this.opened = null; this.restyle(); return; }
    const [storey, shell] = await Promise.all([
      this.singles.load(next.storey.tile), next.building.shell ? this.singles.load(next.building.shell).catch(() => null) : null,
    ]);
    if (ticket !== this.ticket) return;
    this.drop();
    this.opened = next;
    const place = { building: next.building.id, owner: next.building.node, storey: next.storey.index, layer: "", isOpen: true };
    const motion = this.moved.get(next.building.id) ?? new Matrix4(), floor = next.storey.elevation;
    const top = floor + (next.storey.height || 3.5);
    this.materials.role("opened").clipAbove.value = floor + CUT_METRES;
    this.materials.role("lower").clipAbove.value = floor - 0.02;
    this.materials.role("lifted").clipBelow.value = top - 0.2;
    this.materials.role("lifted").lift.value = liftOf(next.building);
    this.take(storey, piecesOf(storey, place), "opened", motion);
    if (shell) {
      const pieces = piecesOf(shell, place);
      this.take(shell, pieces, "lower", motion);
      if (next.building.storeys.some((s) => s.elevation > floor + 0.5)) {
        for (const piece of pieces) {
          const twin = piece.mesh.clone() as Mesh | LineSegments;
          twin.matrixAutoUpdate = false;
          twin.matrix.copy(piece.mesh.matrixWorld);
          this.stage.scene.add(twin);
          this.openRoots.push(twin);
          const copy = { ...piece, mesh: twin };
          this.openPieces.push(copy);
          this.pieces.add(copy);
          this.wear(copy, "lifted");
        }
      }
    }
    this.rebake();
    this.singles.trim(new Set(this.openRoots));
    this.restyle();
  }

  /** Draws a building elsewhere (column-major 4×4 in park metres): what is streamed of it and what is opened; null puts it back. False where nothing changes. */
  setMoved(building: BuildingTiles, motion: number[] | null): boolean {
    if (!motion && !this.moved.has(building.id)) return false;
    const to = motion ? new Matrix4().fromArray(motion) : null;
    if (to) this.moved.set(building.id, to); else this.moved.delete(building.id);
    this.tilesMoved(building.id, to);
    this.setCarried(building.node, motion); // the box that stands for it among many others from afar
    return true;
  }

  private take(root: Object3D, pieces: Piece[], role: Role, motion: Matrix4): void {
    const holder = new Group();
    holder.matrixAutoUpdate = false;
    holder.matrix.copy(motion);
    holder.add(root);
    this.stage.scene.add(holder);
    holder.updateMatrixWorld(true);
    this.openRoots.push(root);
    for (const piece of pieces) { this.openPieces.push(piece); this.pieces.add(piece); this.wear(piece, role); }
  }

  private drop(): void {
    for (const root of this.openRoots) { const holder = root.parent; root.removeFromParent(); if (holder instanceof Group && !holder.children.length) holder.removeFromParent(); }
    for (const piece of this.openPieces) this.pieces.delete(piece);
    this.openRoots = []; this.openPieces = [];
  }

  /** Moves the cut of the section tool: of the opened storey, else of every building. */
  cutAt(height: number): void { this.materials.role(this.opened ? "opened" : "section").clipAbove.value = height; }

  uncut(): void { if (this.opened) this.materials.role("opened").clipAbove.value = this.opened.storey.elevation + CUT_METRES; this.changed(); }

  /** Gives a streamed piece the role it plays now. */
  private dress(piece: Piece): void {
    const { place } = piece;
    if (piece.isBackground) return this.showBackground(piece);
    if (place.isOpen) { this.wear(piece, (piece.mesh.userData.role as Role) ?? "opened"); return; }
    const isPipe = place.layer === "pipes";
    if (isPipe !== this.isUnderground && isPipe) return this.hide(piece);
    if (!this.hasTrees && /tree/i.test(place.layer)) return this.hide(piece);
    if (this.isUnderground) {
      if (isPipe) return this.wear(piece, "pipes");
      if (place.building) return place.storey === null ? this.wear(piece, "ghost") : this.hide(piece);
      if (piece.isPlaced) return this.hide(piece);
      return /ground|terrain|lawn|road|water|pav/i.test(place.layer) ? this.wear(piece, "veil") : this.wear(piece, "ghost");
    }
    if (this.opened) {
      if (place.building === this.opened.building.id) return this.hide(piece);
      if (place.building || /build|block|context/i.test(place.layer)) return this.wear(piece, "ghost");
      if (piece.isPlaced) return this.hide(piece);
      return this.wear(piece, "ground");
    }
    if (this.isXray && place.building) return this.wear(piece, place.storey === null ? "ghost" : "solid");
    this.wear(piece, this.isCut && place.building ? "section" : "solid");
  }

  /** A background is there as long as nothing is looked into: it would stand before what is opened, cut or underground. */
  private showBackground(piece: Piece): void {
    const id = backgroundOf(piece.place.layer);
    if (this.opened || this.isUnderground || (id !== null && this.backgroundsOff.has(id))) return this.hide(piece);
    dressBackground(piece.mesh as BackgroundObject, this.materials.shared, () => this.stage);
    piece.mesh.layers.set(SOLID);
    piece.mesh.renderOrder = 1.5;
  }

  private hide(piece: Piece): void { piece.mesh.layers.set(HIDDEN_LAYER); }

  private wear(piece: Piece, role: Role): void {
    const { mesh, place } = piece;
    const { materials } = this;
    mesh.userData.role = role;
    const isBlended = role === "ghost" || role === "lifted";
    mesh.layers.set(piece.isEdge ? EDGES : role === "veil" ? VEIL : isBlended ? GHOST : SOLID);
    mesh.renderOrder = role === "ground" ? -1 : role === "solid" ? nearestFirst(piece) : 0;
    mesh.material = piece.isEdge ? materials.edge(role) : materials.surface(role, piece.cut);
    mesh.onBeforeRender = (_r, _s, _c, _g, material) => materials.prepare(mesh as Mesh, material, place.owner, role);
  }

  /** Swaps the chosen pieces to the depth-only or id program and back. */
  private probe(isProbe: boolean, chosen: (piece: Piece) => boolean, kind: "pick" | "depth" = "depth"): void {
    for (const piece of this.pieces) {
      if (piece.isEdge || piece.isBackground || !chosen(piece)) continue;
      const role = piece.mesh.userData.role as Role;
      piece.mesh.material = isProbe ? this.materials.probe(kind, role, piece.cut) : this.materials.surface(role, piece.cut);
    }
  }

  /** Runs `draw` with every pickable piece in the id program. */
  withIds(draw: () => void): void {
    const isPickable = (p: Piece): boolean => p.mesh.layers.isEnabled(SOLID) || (p.mesh.layers.isEnabled(GHOST) && p.mesh.userData.role === "ghost");
    const raised = [...this.pieces].filter((p) => p.mesh.userData.role === "lifted" || p.isBackground);
    for (const piece of raised) piece.mesh.visible = false;
    this.probe(true, isPickable, "pick");
    draw();
    this.probe(false, isPickable, "pick");
    for (const piece of raised) piece.mesh.visible = true;
  }

  /** Footprint corners of the opened building: the smallest box turned to its longest edges, at height z. */
  corners(): Vector3[] {
    const shell = this.openPieces.find((p) => p.mesh.userData.role === "lifted" && !p.isEdge);
    if (!shell || !this.opened) return [];
    const position = shell.mesh.geometry.getAttribute("position");
    const step = Math.max(1, Math.floor(position.count / 4000));
    const points: Vector3[] = [];
    const low = this.opened.storey.elevation + this.opened.storey.height;
    for (let i = 0; i < position.count; i += step) {
      const p = new Vector3().fromBufferAttribute(position, i).applyMatrix4(shell.mesh.matrix);
      if (p.z > low) points.push(p);
    }
    return points.length ? turnedBox(points) : [];
  }

  /** Bounds of the opened storey's own pieces, park frame. */
  bounds(): Box3 { return this.openRoots[0] ? new Box3().setFromObject(this.openRoots[0]) : new Box3(); }
}

/** Corners of the least-area rectangle over points, by trying 90 turns of one degree. */
export function turnedBox(points: { x: number; y: number }[]): Vector3[] {
  let best: { area: number; corners: Vector3[] } | null = null;
  for (let degree = 0; degree < 90; degree++) {
    const c = Math.cos((degree * Math.PI) / 180), s = Math.sin((degree * Math.PI) / 180);
    let u0 = Infinity, u1 = -Infinity, v0 = Infinity, v1 = -Infinity;
    for (const p of points) {
      const u = p.x * c + p.y * s, v = -p.x * s + p.y * c;
      u0 = Math.min(u0, u); u1 = Math.max(u1, u); v0 = Math.min(v0, v); v1 = Math.max(v1, v);
    }
    const area = (u1 - u0) * (v1 - v0);
    if (!best || area < best.area - 1e-6) {
      best = { area, corners: ([[u0, v0], [u1, v0], [u1, v1], [u0, v1]] as const).map(([u, v]) => new Vector3(u * c - v * s, u * s + v * c, 0)) };
    }
  }
  return best?.corners ?? [];
}
