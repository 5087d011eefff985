/** Buildings of the map drawn elsewhere than they were built: their triangles are taken out of the streamed tiles and carried. */
import { Box3, BufferAttribute, BufferGeometry, LineSegments, Matrix4, Mesh, Vector3, type Scene } from "three";
import type { Piece } from "./patch";

interface Split { index: BufferAttribute | null; own: BufferAttribute; twins: { node: number; piece: Piece }[] }
/** How far an edge may lie from the walls it belongs to, metres. */
const AT_WALL = 0.3;

export class Carried {
  private readonly motions = new Map<number, Matrix4>();
  private readonly boxes = new Map<number, Box3>();
  private readonly splits = new Map<Piece, Split>();

  constructor(private readonly scene: Scene, private readonly pieces: Set<Piece>, private readonly dress: (piece: Piece) => void) {}

  /** Draws a node elsewhere (column-major 4×4 in park metres); null puts it back. */
  set(node: number, motion: number[] | null): void {
    const had = this.motions.get(node);
    if (motion && had) { had.fromArray(motion); this.place(); return; }
    if (!motion && !had) return;
    if (motion) this.motions.set(node, new Matrix4().fromArray(motion)); else this.motions.delete(node);
    for (const piece of [...this.splits.keys()]) this.join(piece);
    this.boxes.clear();
    if (!this.motions.size) return;
    const all = [...this.pieces];
    for (const isEdge of [false, true]) for (const piece of all) if (piece.isEdge === isEdge) this.split(piece);
    this.place();
  }

  add(pieces: Piece[]): void {
    if (!this.motions.size) return;
    for (const isEdge of [false, true]) for (const piece of pieces) if (piece.isEdge === isEdge) this.split(piece);
    this.place();
  }
  remove(pieces: Piece[]): void { for (const piece of pieces) this.join(piece); }

  private place(): void {
    for (const [piece, { twins }] of this.splits) for (const { node, piece: twin } of twins) {
      twin.mesh.matrix.multiplyMatrices(this.motions.get(node)!, piece.mesh.matrixWorld);
      twin.mesh.updateMatrixWorld(true);
    }
  }

  /** Takes what is carried out of a piece, into meshes of its own. */
  private split(piece: Piece): void {
    if (piece.place.building || piece.isPlaced || piece.isBackground || this.splits.has(piece) || piece.mesh.userData.isCarried) return;
    const { geometry } = piece.mesh, size = piece.isEdge ? 2 : 3, count = geometry.index?.count ?? geometry.getAttribute("position").count;
    const owner = piece.isEdge ? this.edges(piece) : this.faces(piece), kept: number[] = [], taken = new Map<number, number[]>();
    for (let at = 0; at < count; at += size) {
      const node = owner(geometry.index?.getX(at) ?? at, geometry.index?.getX(at + 1) ?? at + 1), list = node ? taken.get(node) ?? taken.set(node, []).get(node)! : kept;
      for (let k = 0; k < size; k++) list.push(geometry.index?.getX(at + k) ?? at + k);
    }
    if (!taken.size) return;
    const split: Split = { index: geometry.index, own: new BufferAttribute(new Uint32Array(kept), 1), twins: [] };
    geometry.setIndex(split.own);
    for (const [node, list] of taken) {
      const part = new BufferGeometry();
      for (const [name, attribute] of Object.entries(geometry.attributes)) part.setAttribute(name, attribute);
      part.setIndex(new BufferAttribute(new Uint32Array(list), 1));
      const mesh = piece.isEdge ? new LineSegments(part) : new Mesh(part);
      mesh.matrixAutoUpdate = false;
      mesh.frustumCulled = false;
      mesh.userData.isCarried = true;
      if (!piece.isEdge) this.grow(node, piece, list);
      const twin: Piece = { ...piece, mesh, bytes: 0 };
      split.twins.push({ node, piece: twin });
      this.scene.add(mesh);
      this.pieces.add(twin);
      this.dress(twin);
    }
    this.splits.set(piece, split);
  }

  private join(piece: Piece): void {
    const split = this.splits.get(piece);
    if (!split) return;
    this.splits.delete(piece);
    piece.mesh.geometry.setIndex(split.index);
    for (const { piece: twin } of split.twins) { twin.mesh.removeFromParent(); this.pieces.delete(twin); }
  }

  private faces(piece: Piece): (a: number, b: number) => number {
    const nodes = piece.mesh.geometry.getAttribute("node");
    return (a) => { const node = nodes ? nodes.getX(a) : 0; return this.motions.has(node) ? node : 0; };
  }
  /** Edges carry no node: those about the walls of what is carried are its. */
  private edges(piece: Piece): (a: number, b: number) => number {
    const position = piece.mesh.geometry.getAttribute("position"), p = new Vector3(), q = new Vector3(), world = piece.mesh.matrixWorld;
    return (a, b) => {
      p.fromBufferAttribute(position, a).applyMatrix4(world); q.fromBufferAttribute(position, b).applyMatrix4(world);
      for (const [node, box] of this.boxes) if (box.containsPoint(p) && box.containsPoint(q)) return node;
      return 0;
    };
  }
  private grow(node: number, piece: Piece, list: number[]): void {
    const position = piece.mesh.geometry.getAttribute("position"), p = new Vector3(), box = this.boxes.get(node) ?? new Box3();
    for (const k of list) box.union(new Box3().setFromCenterAndSize(p.fromBufferAttribute(position, k).applyMatrix4(piece.mesh.matrixWorld), new Vector3(2, 2, 2).multiplyScalar(AT_WALL)));
    this.boxes.set(node, box);
  }
}
