/**
 * Things placed many times, written out as one plain mesh. A machine without a graphics card draws instances one by one, each with the
 * cost of a small draw call; written out, a thousand low trees cost half as much. The bytes are made here and never sent.
 */
import { BufferAttribute, BufferGeometry, InstancedMesh, Matrix4, Mesh, Vector3 } from "three";

/** More corners than this stay instances: the memory would not be worth it. */
const MOST_CORNERS = 300_000;

/** The instances as one mesh in their parent's frame, or the same mesh where there are too many corners. */
export function unrolled(mesh: InstancedMesh): Mesh {
  const { geometry: unit, count } = mesh;
  const position = unit.getAttribute("position"), corners = position.count;
  if (corners * count > MOST_CORNERS) return mesh;
  const colour = unit.getAttribute("color"), shade = unit.getAttribute("_shade"), tint = unit.getAttribute("_tint"), node = unit.getAttribute("node");
  const at = new Float32Array(corners * count * 3), rgba = new Uint8Array(corners * count * 4), lights = new Uint8Array(corners * count * 4);
  const nodes = new Uint32Array(corners * count);
  const index = unit.index, perCopy = index?.count ?? corners;
  const indices = new Uint32Array(perCopy * count);
  const place = new Matrix4(), p = new Vector3();
  for (let copy = 0; copy < count; copy++) {
    mesh.getMatrixAt(copy, place);
    place.premultiply(mesh.matrix);
    const red = tint?.getX(copy) ?? 1, green = tint?.getY(copy) ?? 1, blue = tint?.getZ(copy) ?? 1, sun = tint?.getW(copy) ?? 1;
    for (let corner = 0; corner < corners; corner++) {
      const to = copy * corners + corner;
      p.fromBufferAttribute(position, corner).applyMatrix4(place).toArray(at, to * 3);
      rgba[to * 4] = colour.getX(corner) * red * 255; rgba[to * 4 + 1] = colour.getY(corner) * green * 255;
      rgba[to * 4 + 2] = colour.getZ(corner) * blue * 255; rgba[to * 4 + 3] = colour.getW(corner) * 255;
      lights[to * 4] = shade.getX(corner) * sun;
      lights[to * 4 + 1] = shade.getY(corner); lights[to * 4 + 2] = shade.getZ(corner); lights[to * 4 + 3] = shade.getW(corner);
      nodes[to] = node.getX(copy);
    }
    for (let k = 0; k < perCopy; k++) indices[copy * perCopy + k] = copy * corners + (index ? index.getX(k) : k);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(at, 3));
  geometry.setAttribute("color", new BufferAttribute(rgba, 4, true));
  geometry.setAttribute("_shade", new BufferAttribute(lights, 4));
  geometry.setAttribute("node", new BufferAttribute(nodes, 1));
  geometry.setIndex(new BufferAttribute(corners * count < 65_536 ? new Uint16Array(indices) : indices, 1));
  const plain = new Mesh(geometry, mesh.material);
  plain.name = mesh.name;
  plain.userData = { ...mesh.userData, isPlaced: true };
  return plain;
}
