/** The 3D view of the park: one entry, `createSceneView`; the promises are in ../contract.ts. */
export { createSceneView } from "./view";
export { prepare } from "./stage";
export { NodeTable, RoomTable } from "../places";
