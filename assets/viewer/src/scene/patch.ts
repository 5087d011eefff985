/** What is done to a tile when it arrives: feature ids become dense node indices, and every mesh learns where it belongs. */
import {
  BufferAttribute, InstancedBufferAttribute, InstancedMesh, LineSegments, Mesh, Points, type BufferGeometry, type Object3D,
} from "three";
import { GLTFLoader, type GLTF, type GLTFParser } from "three/examples/jsm/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/examples/jsm/libs/meshopt_decoder.module.js";

import { isBackground } from "./background";
import type { Cut } from "./materials";
import { unrolled } from "./unroll";

export interface Place { building: string | null; owner: number; storey: number | null; layer: string; isOpen: boolean }

/** A mesh of ours: surfaces, things placed many times (trees, lamps), the drawn edges of a tile, or what a background shows. */
export interface Piece { mesh: Mesh | LineSegments | Points; isEdge: boolean; isBackground: boolean; isPlaced: boolean; cut: Cut; place: Place; triangles: number; bytes: number }

interface FeatureTable { properties?: { node?: { values: number } } }

async function nodeColumn(parser: GLTFParser): Promise<Uint32Array | null> {
  const metadata = (parser.json.extensions ?? {}).EXT_structural_metadata as { propertyTables?: FeatureTable[] } | undefined;
  const view = metadata?.propertyTables?.[0]?.properties?.node?.values;
  if (view === undefined) return null;
  const raw = (await parser.getDependency("bufferView", view)) as ArrayBuffer;
  return new Uint32Array(raw.slice(0, raw.byteLength - (raw.byteLength % 4)));
}

function bakeNodes(geometry: BufferGeometry, column: Uint32Array | null, instances: number): void {
  for (const name of Object.keys(geometry.attributes)) {
    // three lower-cases the attributes of a mesh but keeps the case of those of its instances
    if (name.startsWith("_") && name !== name.toLowerCase()) {
      geometry.setAttribute(name.toLowerCase(), geometry.getAttribute(name));
      geometry.deleteAttribute(name);
    }
  }
  const ids = geometry.getAttribute("_feature_id_0");
  const count = instances || geometry.getAttribute("position").count;
  const nodes = new Uint32Array(count);
  if (ids && column) {
    for (let i = 0; i < count; i++) nodes[i] = column[ids.getX(i)] ?? 0;
  }
  geometry.deleteAttribute("_feature_id_0");
  geometry.setAttribute("node", instances ? new InstancedBufferAttribute(nodes, 1) : new BufferAttribute(nodes, 1));
}

/** sRGB byte of every linear sixteen-bit value (scenes/colour.py). */
let displayed: Uint8Array | undefined;

/** Colours as display bytes, which all of ours reckons with; glTF has them linear, in sixteen bits (alpha: a byte in the high byte). */
function displayColours(geometry: BufferGeometry): void {
  const given = geometry.getAttribute("color");
  if (!(given instanceof BufferAttribute) || !(given.array instanceof Uint16Array) || given.itemSize !== 4) return;
  displayed ??= Uint8Array.from({ length: 65_536 }, (_, v) => Math.round(255 * (v < 206 ? (v / 65_535) * 12.92 : 1.055 * (v / 65_535) ** (1 / 2.4) - 0.055)));
  const from = given.array, bytes = new Uint8Array(from.length);
  for (let i = 0; i < from.length; i++) bytes[i] = i % 4 === 3 ? from[i]! >> 8 : displayed[from[i]!]!;
  geometry.setAttribute("color", new BufferAttribute(bytes, 4, true));
}

/** A foreign tile without our bake still draws: light grey, fully lit. */
function fillMissing(geometry: BufferGeometry): void {
  const count = geometry.getAttribute("position").count;
  if (!geometry.getAttribute("color")) geometry.setAttribute("color", new BufferAttribute(new Uint8Array(count * 4).fill(215), 4, true));
  if (!geometry.getAttribute("_shade")) {
    const shade = new Uint8Array(count * 4);
    for (let i = 0; i < count; i++) shade.set([150, 190, 0, 30], i * 4);
    geometry.setAttribute("_shade", new BufferAttribute(shade, 4));
  }
}

function bytesOf(geometry: BufferGeometry): number {
  let total = geometry.index?.array.byteLength ?? 0;
  for (const name of Object.keys(geometry.attributes)) total += geometry.attributes[name]!.array.byteLength;
  return total;
}

/** Puts plain meshes where instances were, all but the very many. */
function writeOut(root: Object3D): void {
  const found: InstancedMesh[] = [];
  root.traverse((object) => { if (object instanceof InstancedMesh) found.push(object); });
  for (const mesh of found) {
    mesh.updateMatrix();
    const plain = unrolled(mesh);
    if (plain === mesh) continue;
    mesh.parent?.add(plain);
    mesh.removeFromParent();
    mesh.dispose();
  }
}

/** A glTF loader that bakes the node index while the file's property table is still at hand. */
export function makeLoader(): GLTFLoader {
  const loader = new GLTFLoader();
  loader.setMeshoptDecoder(MeshoptDecoder);
  loader.register((parser) => ({
    name: "PARKTWIN_nodes",
    afterRoot: async (result: GLTF) => {
      const column = await nodeColumn(parser);
      const done = new Set<BufferGeometry>();
      result.scene.traverse((object: Object3D) => {
        if (!(object instanceof Mesh || object instanceof Points) || done.has(object.geometry)) return;
        done.add(object.geometry);
        displayColours(object.geometry);
        if (object instanceof Points || isBackground(object)) return;
        bakeNodes(object.geometry, column, object instanceof InstancedMesh ? object.count : 0);
        fillMissing(object.geometry);
      });
      writeOut(result.scene);
    },
  }));
  return loader;
}

function backgroundPiece(object: Mesh | Points, place: Place): Piece {
  const corners = object instanceof Points ? 0 : object.geometry.index?.count ?? object.geometry.getAttribute("position").count;
  const cut: Cut = { isInstanced: false, hasFacade: false, isGround: false, hasState: false };
  return { mesh: object, isEdge: false, isBackground: true, isPlaced: false, cut, place, triangles: corners / 3, bytes: bytesOf(object.geometry) };
}

/** The pieces of a loaded model, told where they belong. */
export function piecesOf(root: Object3D, place: Place): Piece[] {
  const pieces: Piece[] = [];
  root.traverse((object) => {
    if (object instanceof Points || (object instanceof Mesh && isBackground(object))) { pieces.push(backgroundPiece(object, place)); return; }
    if (!(object instanceof Mesh) && !(object instanceof LineSegments)) return;
    const isEdge = object instanceof LineSegments;
    const isInstanced = object instanceof InstancedMesh;
    if (isInstanced && !object.geometry.getAttribute("_tint")) {
      object.geometry.setAttribute("_tint", new InstancedBufferAttribute(new Uint8Array(object.count * 4).fill(255), 4, true));
    }
    const isPlaced = isInstanced || Boolean(object.userData.isPlaced);
    const corners = object.geometry.index?.count ?? object.geometry.getAttribute("position").count;
    const copies = isInstanced ? object.count : 1;
    const isGround = !isPlaced && !place.isOpen && (place.layer === "ground" || place.layer === "context");
    const cut: Cut = {
      isInstanced, hasFacade: Boolean(object.geometry.getAttribute("uv")), isGround,
      hasState: place.isOpen || place.storey !== null || (!isPlaced && !place.building && !isGround),
    };
    pieces.push({ mesh: object, isEdge, isBackground: false, isPlaced, cut, place, triangles: isEdge ? 0 : (corners / 3) * copies, bytes: bytesOf(object.geometry) });
  });
  return pieces;
}
