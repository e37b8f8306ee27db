// What the page may use of deck.gl; a layer that fetches its worker from a public host is left out on purpose.
export { COORDINATE_SYSTEM } from "@deck.gl/core";
export { MapLibreOverlay } from "@deck.gl/maplibre";
export { JSONConfiguration, JSONConverter } from "@deck.gl/json";
export {
  ArcLayer, BitmapLayer, ColumnLayer, GeoJsonLayer, GridCellLayer, IconLayer, LineLayer, PathLayer, PointCloudLayer,
  PolygonLayer, ScatterplotLayer, SolidPolygonLayer, TextLayer,
} from "@deck.gl/layers";
export { Tile3DLayer, TripsLayer } from "@deck.gl/geo-layers";
export { GridLayer, HeatmapLayer, HexagonLayer } from "@deck.gl/aggregation-layers";
export { ScenegraphLayer, SimpleMeshLayer } from "@deck.gl/mesh-layers";
export { CollisionFilterExtension, DataFilterExtension, PathStyleExtension } from "@deck.gl/extensions";
