/** Reads our tiles: binds each vertex to its node (the tile's property table) and gives every mesh the surface program. */
import { BufferAttribute, InstancedBufferAttribute, InstancedMesh, LineSegments, Mesh, type Object3D } from "three";
import { GLTFLoader, type GLTF, type GLTFLoaderPlugin, type GLTFParser } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";
import { type Manner, type Shared, surfaceMaterial } from "./materials";
import type { LineBasicMaterial } from "three";

interface PropertyTable { count: number; properties: { node: { values: number } } }

/** Leaves `userData.nodes` (Uint32Array: tile feature → node index) on the scene. */
class NodeTable implements GLTFLoaderPlugin {
  readonly name = "PARKTWIN_nodes";
  constructor(private readonly parser: GLTFParser) {}
  async afterRoot(result: GLTF): Promise<void> {
    const table: PropertyTable | undefined = this.parser.json.extensions?.EXT_structural_metadata?.propertyTables?.[0];
    if (!table) return;
    const bytes: ArrayBuffer = await this.parser.getDependency("bufferView", table.properties.node.values);
    result.scene.userData.nodes = new Uint32Array(bytes.slice(0), 0, table.count);
  }
}

export function tileLoader(): GLTFLoader {
  const loader = new GLTFLoader();
  loader.setMeshoptDecoder(MeshoptDecoder);
  loader.register((parser) => new NodeTable(parser));
  return loader;
}

export interface Dressing { shared: Shared; how: Manner; edges: LineBasicMaterial }

/** Swaps in our materials and bakes the dense node index as a vertex (or instance) attribute. Returns triangles. */
export function dress(scene: Object3D, { shared, how, edges }: Dressing): number {
  const nodes: Uint32Array | undefined = scene.userData.nodes;
  const plain = surfaceMaterial(shared, how, false), instanced = surfaceMaterial(shared, how, true);
  let triangles = 0;
  scene.traverse((object) => {
    if (object instanceof LineSegments) { object.material = edges; object.renderOrder = 5; object.userData.isEdges = true; return; }
    if (!(object instanceof Mesh)) return;
    const geometry = object.geometry, isInstanced = object instanceof InstancedMesh;
    const ids = geometry.getAttribute(isInstanced ? "_FEATURE_ID_0" : "_feature_id_0") ?? geometry.getAttribute("_feature_id_0");
    const count = isInstanced ? object.count : geometry.getAttribute("position").count;
    const index = new Float32Array(count);
    if (ids && nodes) for (let k = 0; k < count; k++) index[k] = nodes[ids.getX(k)] ?? 0;
    geometry.setAttribute("node", isInstanced ? new InstancedBufferAttribute(index, 1) : new BufferAttribute(index, 1));
    object.material = isInstanced ? instanced : plain;
    object.frustumCulled = !isInstanced;
    triangles += ((geometry.index?.count ?? geometry.getAttribute("position").count) / 3) * (isInstanced ? object.count : 1);
  });
  return triangles;
}
