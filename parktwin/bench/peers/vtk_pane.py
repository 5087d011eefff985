"""Panel's VTK pane showing boxes, 10,000 of which change colour at the press of a button. Arguments: port, triangles."""

from __future__ import annotations

import sys

import numpy as np
import panel as pn
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

CHANGED = 10_000
FACES = np.array([[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6], [0, 4, 5], [0, 5, 1], [1, 5, 6], [1, 6, 2], [2, 6, 7],
                  [2, 7, 3], [3, 7, 4], [3, 4, 0]])
COLOURS = ((200, 30, 30), (30, 160, 60))


def main() -> None:
    """Serve until killed."""
    port, triangles = int(sys.argv[1]), int(sys.argv[2])
    pn.extension("vtk", inline=True)
    pn.serve(lambda: page(triangles), port=port, address="127.0.0.1", websocket_origin=f"127.0.0.1:{port}", show=False,
             title="VTK pane")


def page(triangles: int) -> pn.Column:
    """The pane and its button."""
    body = boxes(max(triangles // len(FACES), CHANGED))
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(body)
    actor, renderer, window = vtk.vtkActor(), vtk.vtkRenderer(), vtk.vtkRenderWindow()
    actor.SetMapper(mapper)
    renderer.AddActor(actor)
    renderer.ResetCamera()
    window.SetOffScreenRendering(1)
    window.AddRenderer(renderer)
    pane = pn.pane.VTK(window, width=640, height=360)
    button = pn.widgets.Button(name="recolour")
    turns = iter(range(1_000_000))

    def recolour(_: object) -> None:
        paint(body, COLOURS[(next(turns) + 1) % 2])
        pane.synchronize()  # type: ignore[attr-defined]  # of the sort of pane that a window gets

    button.on_click(recolour)
    return pn.Column(pane, button)


def boxes(count: int) -> vtk.vtkPolyData:
    """So many boxes on a square, those that change in front, with a colour (r, g, b) a triangle."""
    across = int(np.ceil(np.sqrt(count)))
    at = np.column_stack(np.divmod(np.arange(count), across)).astype(np.float32) * 2
    corner = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]], np.float32)
    points = (corner[None] + np.column_stack([at, np.zeros(count, np.float32)])[:, None]).reshape(-1, 3)
    faces = (FACES[None] + 8 * np.arange(count)[:, None, None]).reshape(-1, 3)
    body, places, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    places.SetData(numpy_to_vtk(points, deep=True))
    cells.SetCells(len(faces), numpy_to_vtkIdTypeArray(
        np.column_stack([np.full(len(faces), 3), faces]).ravel().astype(np.int64), deep=True))
    body.SetPoints(places)
    body.SetPolys(cells)
    paint(body, COLOURS[0])
    return body


def paint(body: vtk.vtkPolyData, colour: tuple[int, int, int]) -> None:
    """The boxes that change in this colour, by a new array: the pane fails on one that was changed in place."""
    rgb = np.tile(np.array(COLOURS[0], np.uint8), (body.GetNumberOfCells(), 1))
    rgb[:CHANGED * len(FACES)] = colour
    colours = numpy_to_vtk(rgb, deep=True)
    colours.SetName("colour")
    body.GetCellData().SetScalars(colours)


if __name__ == "__main__":
    main()
